"""The response to a shed request: made in advance, so that it costs a fraction of one that is served."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gunicorn.http.wsgi import Response as Writer  # type: ignore[import-untyped]

from api import problems, request_log, security_headers
from api.compatibility import run_inference
from api.metrics import Metrics
from riffusion.errors import Overloaded

_MAX_DISCARDED = 64 << 10  # bytes of a body that are read to keep the connection
_ID = "{request_id}"


class OverloadResponse:
    """503 with code `overloaded` and the headers of every other response, without the application."""

    def __init__(self, cors_origins: Sequence[str], metrics: Metrics) -> None:
        self._origins = frozenset(cors_origins)
        self._metrics = metrics
        self._made = lru_cache(self._make)

    def send(self, req: Any, sock: Any, cfg: Any, retry_after_s: int) -> None:
        """Responds to a request whose body hasn't been read.

        Raises:
            StopIteration: the connection has to be closed.
        """
        fields = dict(req.headers)
        request_id = request_log.usable_id(fields.get("X-REQUEST-ID", ""))
        common, text = self._made(self._sharing(fields.get("ORIGIN")), req.path == run_inference.PATH)
        body = text.replace(_ID, request_id).encode()
        writer = Writer(req, sock, cfg)
        if _leaves_much_unread(fields):
            writer.force_close()
        own = (
            ("Content-Length", str(len(body))),
            ("Retry-After", str(retry_after_s)),
            (request_log.HEADER, request_id),
        )
        writer.start_response("503 Service Unavailable", [*common, *own])
        if req.method != "HEAD":
            writer.write(body)
        writer.close()
        self._metrics.count_shed(req.method)
        if writer.should_close():
            raise StopIteration

    def _sharing(self, origin: str | None) -> str | None:
        """The part of an Origin that the response depends on."""
        if origin and "*" in self._origins:
            return "*"
        return origin if origin in self._origins else None

    def _make(self, origin: str | None, as_text: bool) -> tuple[list[tuple[str, str]], str]:
        """The headers that don't change, and the body with a placeholder for the request's id."""
        detail = "The server is overloaded; try again after the seconds in Retry-After."
        response = problems.response(problems.status_of(Overloaded), Overloaded.code, detail, [], _ID)
        if as_text:
            response = problems.as_text(response)
        security_headers.protect(response, self._origins, origin)
        del response.headers["Content-Length"]
        return response.headers.to_wsgi_list(), response.get_data(as_text=True)


def _leaves_much_unread(fields: dict[str, str]) -> bool:
    """Whether discarding the body would cost more than a new connection, or can't be relied on.

    A client that awaits `100 Continue` may or may not send its body after another status.
    """
    return (
        "TRANSFER-ENCODING" in fields
        or "EXPECT" in fields
        or int(fields.get("CONTENT-LENGTH", "0")) > _MAX_DISCARDED
    )  # fmt: skip
