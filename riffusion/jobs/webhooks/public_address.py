"""Which addresses a user's webhook may go to: public ones only, checked after the host name is resolved."""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# IANA's registry of special-purpose IPv4 addresses, multicast, reserved addresses, the relays of 6to4 (RFC 7526), and
# the address at which Azure's hosts serve their virtual machines, which is none of these.
_CLOSED_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
# Of IPv6 only what is allocated as global unicast is open; that leaves out loopback, local, multicast and mapped
# addresses and NAT64. Within it: protocol assignments with Teredo, documentation, 6to4.
_GLOBAL_V6 = IPv6Network("2000::/3")
_CLOSED_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(address: str) -> bool:
    """Whether a numeric address is on the public internet.

    Forms of IPv6 that embed an IPv4 address (mapped, 6to4, Teredo, NAT64) are not: the network decides where they lead.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return not any(parsed in network for network in _CLOSED_V4)
    return _is_public_v6(parsed)


def _is_public_v6(address: IPv6Address) -> bool:
    return address.scope_id is None and address in _GLOBAL_V6 and not any(address in network for network in _CLOSED_V6)


def resolve(host: str, port: int) -> list[str]:
    """The numeric addresses of a host name, in the resolver's order.

    Raises:
        OSError: the name is unknown, or no name server responds.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
