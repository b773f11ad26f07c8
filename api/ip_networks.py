"""Clients without a key: the IP address that a request came from, and the networks around it."""

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address

from flask import Request

_SUBSCRIBER_BITS = 64  # of an IPv6 address: a subscriber has every address of the network
_SITE_BITS = (56, 48)  # the networks that homes and organisations are assigned (RFC 6177)

AddressClient = tuple[str, tuple[str, ...]]


def address_client(request: Request) -> AddressClient:
    """The client's name, `address:` and the IPv4 address or the /64 network of the IPv6 address that a request came
    from; and the wider networks around the latter, from narrow to wide, because a site has thousands of /64s.

    Behind proxies, `RIFFUSION_TRUSTED_PROXIES` is how many entries of `X-Forwarded-For` are believed, counted from the
    end, where each proxy writes the address that it saw; what clients write before that changes nothing.
    """
    return client_of(request.remote_addr or "")


@lru_cache(4096)  # most requests are polls of the same few clients
def client_of(remote: str) -> AddressClient:
    """The same, for an address as text."""
    try:
        address = ip_address(remote.partition("%")[0])
    except ValueError:
        return "address:unknown", ()
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            name, *networks = (
                f"address:{IPv6Network((address, bits), strict=False)}" for bits in (_SUBSCRIBER_BITS, *_SITE_BITS)
            )
            return name, tuple(networks)
        address = address.ipv4_mapped
    return f"address:{address}", ()


def client_named(text: str) -> str:
    """The client that a person means, as records name it: `key:…`, or `address:…` with or without that word.

    Raises:
        ValueError: it is neither a key's, nor an address or one of the IPv6 networks that records name.
    """
    if text.startswith("key:"):
        return text
    address = text.removeprefix("address:")
    if "/" in address:
        network = IPv6Network(address)
        if network.prefixlen not in {_SUBSCRIBER_BITS, *_SITE_BITS}:
            raise ValueError(f"nothing counts for a /{network.prefixlen}")
        return f"address:{network}"
    return client_of(str(ip_address(address)))[0]
