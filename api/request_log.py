"""A request id on every request and one structured line in the log when it ends.

Successful reads are logged at debug: there are many more polls than other requests, and /metrics counts them.
A refused one has the `code` of its problem.
"""

import logging
import re
import secrets
import time
from http import HTTPStatus

import structlog
from flask import Flask, Response, g, request

from api.ip_networks import address_client
from riffusion import tracing

HEADER = "X-Request-Id"
READS = frozenset({"GET", "HEAD", "OPTIONS"})
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")

_stdlib = logging.getLogger(__name__)


def request_id() -> str:
    """The id of the current request: the proxy's, if it sent a valid one."""
    found: str | None = g.get("request_id")
    if found is None:
        g.request_id = found = usable_id(request.headers.get(HEADER, ""))
    return found


def usable_id(sent: str) -> str:
    """The id that was sent, if it is valid; otherwise a new one."""
    return sent if _ACCEPTABLE.fullmatch(sent) else secrets.token_hex(8)


def elapsed_s() -> float:
    """Seconds since the current request arrived."""
    began: float = g.began
    return time.perf_counter() - began


def register(app: Flask) -> None:
    """Adds the request id to everything that is logged meanwhile, and logs each request when its response has ended."""

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id())

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers[HEADER] = request_id()
        read = request.method in READS and response.status_code < HTTPStatus.BAD_REQUEST
        level = logging.DEBUG if read else logging.INFO
        if read and not _stdlib.isEnabledFor(level):
            return response
        log = structlog.get_logger().bind(
            request_id=request_id(),
            method=request.method,
            path=request.path,
            status=response.status_code,
            **({"code": response.get_json()["code"]} if response.mimetype == "application/problem+json" else {}),
            client=g.caller.name if "caller" in g else address_client(request)[0],
            **tracing.ids(),
        )
        began = g.began
        # On close, because a stream ends long after its view has returned.
        response.call_on_close(lambda: log.log(level, "request", seconds=round(time.perf_counter() - began, 4)))
        return response
