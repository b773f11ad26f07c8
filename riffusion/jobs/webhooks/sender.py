"""One POST to an address that a stranger chose.

The host name is resolved once, every address it has is checked, and the connection goes to a checked one: a name that
resolves to something else a moment later gains nothing. Certificates, SNI and Host are those of the name. No redirect
is followed, no proxy is asked, the answer's body isn't read, and all of it together has one deadline.
"""

import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

import httpcore

from riffusion.jobs.webhooks import addresses

LIMIT_S = 15.0  # for resolving, connecting, sending and the answer's head together

Resolve = Callable[[str, int], list[str]]


class Undelivered(Exception):
    """A try that came to nothing. The message is for the webhook's owner."""


def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    anywhere: bool = False,
    resolve: Resolve = addresses.resolve,
    backend: httpcore.NetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
    limit_s: float = LIMIT_S,
) -> int:
    """Sends a body; the answer's status, whatever it is.

    Args:
        anywhere: to private addresses too.

    Raises:
        Undelivered: there was no answer, or the address isn't public.
    """
    checked = _Checked(backend or httpcore.SyncBackend(), resolve, anywhere, time.monotonic() + limit_s)
    sent = {**headers, "Content-Type": "application/json", "User-Agent": "Riffusion", "Connection": "close"}
    try:
        with (
            httpcore.ConnectionPool(ssl_context=tls or _tls(), network_backend=checked) as pool,
            pool.stream("POST", url, headers=list(sent.items()), content=body) as response,
        ):
            return response.status
    except httpcore.TimeoutException:
        raise Undelivered(f"There was no answer within {limit_s:g} s.") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise Undelivered(f"There was no answer: {str(error) or type(error).__name__}.") from None


class _Checked(httpcore.NetworkBackend):
    """Connects to public addresses only, and only until a deadline."""

    def __init__(self, inner: httpcore.NetworkBackend, resolve: Resolve, anywhere: bool, deadline: float) -> None:
        self._inner = inner
        self._resolve = resolve
        self._anywhere = anywhere
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- httpcore's; the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first of the host's addresses that answers."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError):
            raise Undelivered("Its host name is unknown.") from None
        if not self._anywhere and not all(addresses.is_public(address) for address in found):
            raise Undelivered("Its host name leads to an address that isn't public.")
        failed: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("its host has no address")
        for address in found:
            left = _left(self._deadline, httpcore.ConnectTimeout)
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failed = error
            else:
                return _Timed(stream, self._deadline)
        raise failed


class _Timed(httpcore.NetworkStream):
    """A stream whose reads and writes end at a deadline, however little comes at a time."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._inner.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Timed(self._inner.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise late
    return left


@cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()
