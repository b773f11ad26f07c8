"""One POST to an address that a user chose.

The host name is resolved once, all its addresses are checked, and the connection goes to one of those: a name that
resolves to something else a moment later gains nothing. Certificates, SNI and Host are those of the name. No redirect
is followed, no proxy is used, the response's body isn't read, and all of it together has one deadline.
"""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import Any

import httpcore

from riffusion.jobs.webhooks import public_address

LIMIT_S = 15.0  # for resolving, connecting, sending and the response's head together
MAX_HEAD = 64 << 10  # bytes of a response's head, including those with a status of 1xx before it

Resolve = Callable[[str, int], list[str]]

_NO_CONNECTION = (httpcore.NetworkError, httpcore.TimeoutException)


class Undelivered(Exception):
    """A try without a response. The message is for the webhook's owner."""


def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    anywhere: bool = False,
    resolve: Resolve = public_address.resolve,
    backend: httpcore.NetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
    limit_s: float = LIMIT_S,
) -> int:
    """Sends a body and returns the response's status, whatever it is.

    Args:
        anywhere: whether it may go to private addresses, too.

    Raises:
        Undelivered: there was no response, or the address isn't public.
    """
    deadline = time.monotonic() + limit_s
    sent = {**headers, "Content-Type": "application/json", "User-Agent": "Riffusion", "Connection": "close"}
    with ExitStack() as connection:
        checked = _Checked(backend or httpcore.SyncBackend(), resolve, anywhere, deadline, connection)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=tls or _tls(), network_backend=checked) as pool,
                pool.stream("POST", url, headers=list(sent.items()), content=body) as response,
            ):
                return response.status
        except (*_NO_CONNECTION, httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
            late = isinstance(error, httpcore.TimeoutException) or time.monotonic() >= deadline
            reason = f" within {limit_s:g} s" if late else f": {str(error) or type(error).__name__}"
            raise Undelivered(f"There was no response{reason}.") from None


class _Checked(httpcore.NetworkBackend):
    """Connects to public addresses only, and only until a deadline; `connection` then closes what it connected."""

    def __init__(
        self,
        inner: httpcore.NetworkBackend,
        resolve: Resolve,
        anywhere: bool,
        deadline: float,
        connection: ExitStack,
    ) -> None:
        self._inner = inner
        self._resolve = resolve
        self._anywhere = anywhere
        self._deadline = deadline
        self._connection = connection

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 -- httpcore's; the deadline counts
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first of the host's addresses that responds."""
        try:
            found = self._resolve(host, port)
        except TimeoutError:
            raise Undelivered("Its host name was not resolved in time.") from None
        except (OSError, UnicodeError):
            raise Undelivered("Its host name is unknown.") from None
        if not self._anywhere and not all(public_address.is_public(address) for address in found):
            raise Undelivered("Its host name leads to an address that isn't public.")
        failed: httpcore.NetworkError | httpcore.TimeoutException = httpcore.ConnectError("its host has no address")
        for address in found:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout
            try:
                stream = self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except _NO_CONNECTION as error:
                failed = error
            else:
                self._connection.enter_context(_shut_down_at(self._deadline, stream.get_extra_info("socket")))
                return _Measured(stream)
        raise failed


@contextmanager
def _shut_down_at(deadline: float, connection: socket.socket) -> Iterator[None]:
    """Shuts a connection down at a deadline, whatever it is being used for.

    A socket's timeout is no deadline: it starts again with each part of a body that is sent, and gevent's also with
    each byte of a TLS handshake or record.
    """
    with connection.dup() as same:  # TLS wraps the first in another socket object

        def shut_down() -> None:
            with suppress(OSError):
                same.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(0, deadline - time.monotonic()), shut_down)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class _Measured(httpcore.NetworkStream):
    """A stream of which only MAX_HEAD bytes are read: one without an end would never yield to gevent's loop."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner
        self._bytes = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._bytes >= MAX_HEAD:
            raise httpcore.ReadError(f"its head is longer than {MAX_HEAD >> 10} KiB")
        data = self._inner.read(max_bytes, timeout)
        self._bytes += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Measured(self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    def close(self) -> None:
        self._inner.close()


@cache
def _tls() -> ssl.SSLContext:
    return httpcore.default_ssl_context()
