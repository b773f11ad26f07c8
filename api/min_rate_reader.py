"""Reads a request's body, which must arrive at a minimum rate; everything wrong with it is an HTTP error."""

import time
from collections.abc import Callable
from typing import Any

import gevent
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestTimeout

GRACE_S = 30.0  # for a body to arrive, on top of its size over MIN_RATE
MIN_RATE = 32 << 10  # bytes a second


class MinRateReader:
    """A reader for gunicorn's `Body`, around gunicorn's own.

    `Body` itself stays gunicorn's: it records that reading failed, and gunicorn then serves no further request on the
    connection, because there is no telling where one would begin. `close` is called first, so that the response has
    `Connection: close`.
    """

    def __init__(
        self, reader: Any, close: Callable[[], None], *, grace_s: float = GRACE_S, min_rate: float = MIN_RATE
    ) -> None:
        self._reader = reader
        self._close = close
        self._min_rate = min_rate
        self._deadline = time.monotonic() + grace_s

    def read(self, size: int) -> bytes:
        """Reads at most `size` bytes; none at the body's end.

        Raises:
            RequestTimeout: the body arrived too slowly on average.
            BadRequest: the body's chunks or trailers are malformed.
            ClientDisconnected: the connection was closed.
        """
        try:
            with gevent.Timeout(max(self._deadline - time.monotonic(), 0), TimeoutError):
                data: bytes = self._reader.read(size)
        except (ParseException, OSError) as error:
            self._close()
            raise _problem(error) from None
        self._deadline += len(data) / self._min_rate
        return data


def _problem(error: Exception) -> BadRequest | RequestTimeout:
    if isinstance(error, TimeoutError):
        return RequestTimeout("The body arrived too slowly; send it again.")
    if isinstance(error, OSError):
        return ClientDisconnected("The connection was closed before the body's end.")
    return BadRequest("The body can't be read: its chunks or trailers are malformed.")
