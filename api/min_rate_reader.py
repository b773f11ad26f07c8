"""What a request's body is read from: its bytes must keep a pace, and whatever is wrong with it is an HTTP error."""

import time
from collections.abc import Callable
from typing import Any

import gevent
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import BadRequest, ClientDisconnected, RequestTimeout

GRACE_S = 30.0  # for a body to come in, plus what its pace allows
MIN_PACE = 32 << 10  # bytes a second


class PacedReader:
    """A reader for gunicorn's `Body`, around gunicorn's own.

    `Body` itself stays gunicorn's: it records that reading failed, and gunicorn then serves no further request on the
    connection, because nobody knows where one would begin. `close` is called before, so that the response says so.
    """

    def __init__(
        self, reader: Any, close: Callable[[], None], *, grace_s: float = GRACE_S, pace: float = MIN_PACE
    ) -> None:
        self._reader = reader
        self._close = close
        self._pace = pace
        self._deadline = time.monotonic() + grace_s

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the body's end.

        Raises:
            RequestTimeout: it has come in too slowly on average.
            BadRequest: its chunks or trailers are malformed.
            ClientDisconnected: the connection broke off.
        """
        try:
            with gevent.Timeout(max(self._deadline - time.monotonic(), 0), TimeoutError):
                data: bytes = self._reader.read(size)
        except (ParseException, OSError) as error:
            self._close()
            raise _problem(error) from None
        self._deadline += len(data) / self._pace
        return data


def _problem(error: Exception) -> BadRequest | RequestTimeout:
    if isinstance(error, TimeoutError):
        return RequestTimeout("The body came in too slowly.")
    if isinstance(error, OSError):
        return ClientDisconnected("The connection broke off before the body's end.")
    return BadRequest("The body can't be read: its chunks or trailers are malformed.")
