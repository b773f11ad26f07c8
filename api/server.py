"""The process that serves: a greenlet a connection, so that a client who is slow costs a few kilobytes and no thread.

gunicorn's gevent worker, with what it lacks: a request's body must keep a pace, a response must be read, and
connections that wait for a further request don't hold up a stop.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ssl import SSLContext
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import RequestTimeout

from api.overload import Shedding

GRACE_S = 30.0  # for a body to come in, plus what its pace allows
MIN_PACE = 32 << 10  # bytes a second
STALL_S = 60.0  # without a byte of a response being taken
LINGER_S = 2.0  # for which a stopping process waits for requests on the way


class PacedBody:
    """A request's body that ends with `RequestTimeout` once it has come in too slowly on average."""

    def __init__(self, body: Any, grace_s: float = GRACE_S, pace: float = MIN_PACE) -> None:
        self._body = body
        self._pace = pace
        self._deadline = time.monotonic() + grace_s

    def read(self, size: int | None = None) -> bytes:
        """As a file's."""
        return self._paced(self._body.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """As a file's."""
        return self._paced(self._body.readline, size)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _paced(self, read: Any, size: int | None) -> bytes:
        left = max(self._deadline - time.monotonic(), 0)
        with gevent.Timeout(left, RequestTimeout("The body came in too slowly.")):
            data: bytes = read(size)
        self._deadline += len(data) / self._pace
        return data


class Worker(GeventWorker):  # type: ignore[misc]
    """What gunicorn runs in each process."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: dict[gevent.Greenlet, gevent.Timeout] = {}
        self._stops_at: float | None = None
        self.shedding: Shedding | None = None  # refuses what an overloaded process can't serve

    def server_class(
        self, listener: Any, *, spawn: Pool, ssl_context: SSLContext | None = None, **_application: Any
    ) -> StreamServer:
        """What takes in connections: up to a hundred a turn of the loop.

        gunicorn's own takes one a turn when there are several processes, and a busy loop's turn is a tenth of a second.
        """
        tls = {"ssl_context": ssl_context} if ssl_context else {}
        return StreamServer(listener, handle=partial(self.handle, listener), spawn=spawn, **tls)

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Around the wait for a request's head and its reading."""
        timeout = gevent.Timeout(self.cfg.keepalive, False)
        waiting = gevent.getcurrent()
        self._waiting[waiting] = timeout
        try:
            with timeout:
                yield
        finally:
            del self._waiting[waiting]

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request, whose head is there."""
        req.body = PacedBody(req.body)
        sock.settimeout(STALL_S)
        try:
            if not (self.shedding and self.shedding.sheds(req, sock, self.cfg)):
                super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            raise StopIteration from None  # closes the connection
        finally:
            sock.settimeout(None)

    def notify(self) -> None:
        """Called every second, also while stopping: connections without a request are then closed."""
        super().notify()
        if self.alive:
            return
        now = time.monotonic()
        self._stops_at = self._stops_at or now + LINGER_S
        if now >= self._stops_at:
            for waiting, timeout in list(self._waiting.items()):
                gevent.kill(waiting, timeout, block=False)
