"""The process that serves: a greenlet a connection, so that a client who is slow costs a few kilobytes and no thread.

gunicorn's gevent worker, with what it lacks: a request's body must keep a pace, a response must be read, and
connections that wait for a further request don't hold up a stop.
"""

import ssl  # the module alone: a reference to its classes would be to those that gevent replaces
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http.errors import NoMoreData  # type: ignore[import-untyped]
from gunicorn.workers.ggevent import GeventWorker  # type: ignore[import-untyped]
from werkzeug.exceptions import HTTPException

from api.min_rate_reader import PacedReader

if TYPE_CHECKING:
    from api.load_shedding import (
        Shedding,  # needs more than may be imported before gevent has replaced the standard library
    )

STALL_S = 60.0  # without a byte of a response being taken
LINGER_S = 2.0  # for which a stopping process waits for requests on the way


class Worker(GeventWorker):  # type: ignore[misc]
    """What gunicorn runs in each process."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: dict[gevent.Greenlet, gevent.Timeout] = {}
        self._stops_at: float | None = None
        self.shedding: Shedding | None = None  # refuses what an overloaded process can't serve

    def server_class(
        self, listener: Any, *, spawn: Pool, ssl_context: ssl.SSLContext | None = None, **_application: Any
    ) -> StreamServer:
        """What takes in connections: up to a hundred a turn of the loop.

        gunicorn's own takes one a turn when there are several processes, and a busy loop's turn is a tenth of a second.
        """
        tls = {"ssl_context": ssl_context} if ssl_context else {}
        return StreamServer(listener, handle=partial(self.handle, listener), spawn=spawn, **tls)

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Around the wait for a request's head and its reading, after what is left of the body before it."""
        timeout = gevent.Timeout(self.cfg.keepalive, False)
        waiting = gevent.getcurrent()
        self._waiting[waiting] = timeout
        try:
            with timeout:
                yield
        except HTTPException:  # in what was left of the body of a request that has its response
            raise NoMoreData from None  # closes the connection, without a second response
        finally:
            del self._waiting[waiting]

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """One request, whose head is there."""
        req.body.reader = PacedReader(req.body.reader, req.force_close)
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
