"""The serving process: one greenlet per connection, so that a slow client costs a few kilobytes and no thread.

It extends gunicorn's gevent worker: a request's body must arrive at a minimum rate, a response must be read, and
connections that wait for another request don't delay a stop.
"""

import ssl  # not its classes, which gevent replaces
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

from api.min_rate_reader import MinRateReader

if TYPE_CHECKING:
    from api.load_shedding import (
        Shedding,  # imports modules that must not be loaded before gevent has patched them
    )

STALL_S = 60.0  # in which a client reads no byte of a response
LINGER_S = 2.0  # for which a stopping process waits for requests that are being sent


class Worker(GeventWorker):  # type: ignore[misc]
    """The worker that gunicorn runs in each process."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: dict[gevent.Greenlet, gevent.Timeout] = {}
        self._stops_at: float | None = None
        self.shedding: Shedding | None = None  # set by gunicorn_conf

    def server_class(
        self, listener: Any, *, spawn: Pool, ssl_context: ssl.SSLContext | None = None, **_application: Any
    ) -> StreamServer:
        """Accepts up to a hundred connections a turn of the loop.

        gunicorn's own accepts one a turn when there are several processes, and a busy loop's turn takes 0.1 s.
        """
        tls = {"ssl_context": ssl_context} if ssl_context else {}
        return StreamServer(listener, handle=partial(self.handle, listener), spawn=spawn, **tls)

    @contextmanager
    def timeout_ctx(self) -> Iterator[None]:
        """Limits the wait for a request's head, and its reading, after the rest of the previous request's body."""
        timeout = gevent.Timeout(self.cfg.keepalive, False)
        waiting = gevent.getcurrent()
        self._waiting[waiting] = timeout
        try:
            with timeout:
                yield
        except HTTPException:  # in the rest of the body of a request that has its response
            raise NoMoreData from None  # closes the connection, without a second response
        finally:
            del self._waiting[waiting]

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Serves one request, whose head has been read."""
        req.body.reader = MinRateReader(req.body.reader, req.force_close)
        sock.settimeout(STALL_S)
        try:
            if not (self.shedding and self.shedding.sheds(req, sock, self.cfg)):
                super().handle_request(listener_name, req, sock, addr)
        except TimeoutError:
            raise StopIteration from None  # closes the connection
        finally:
            sock.settimeout(None)

    def notify(self) -> None:
        """Called every second; while the process is stopping, closes connections without a request."""
        super().notify()
        if self.alive:
            return
        now = time.monotonic()
        self._stops_at = self._stops_at or now + LINGER_S
        if now >= self._stops_at:
            for waiting, timeout in list(self._waiting.items()):
                gevent.kill(waiting, timeout, block=False)
