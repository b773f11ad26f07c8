"""Every error as RFC 9457 problem+json: a stable `code` for programs, a message for people."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response
from pydantic import BaseModel, Field
from werkzeug.exceptions import HTTPException

from api.request_log import request_id
from riffusion import tracing
from riffusion.errors import (
    Blocked,
    Conflict,
    Forbidden,
    Gone,
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    RequestError,
    RiffusionError,
    StorageFull,
    TooManyRequests,
    Unauthorized,
    UnavailableError,
    UnknownReference,
    UnreadableMedia,
)

MAX_FIELDS = 32  # of a problem
MAX_TEXT = 500  # characters of a message or a field's name
PROBLEM_TYPE = "application/problem+json"

# The first class that matches decides.
_STATUS: tuple[tuple[type[RiffusionError], HTTPStatus], ...] = (
    (Unauthorized, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (Blocked, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Gone, HTTPStatus.GONE),
    (Conflict, HTTPStatus.CONFLICT),
    (InvalidRequest, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnknownReference, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UnreadableMedia, HTTPStatus.UNPROCESSABLE_ENTITY),
    (IdempotencyConflict, HTTPStatus.UNPROCESSABLE_ENTITY),
    (RequestError, HTTPStatus.BAD_REQUEST),
    (TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (StorageFull, HTTPStatus.INSUFFICIENT_STORAGE),
    (UnavailableError, HTTPStatus.SERVICE_UNAVAILABLE),
    (RiffusionError, HTTPStatus.INTERNAL_SERVER_ERROR),
)

# Errors of HTTP itself, raised by werkzeug.
_HTTP_CODE: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "malformed_body",
    HTTPStatus.FORBIDDEN: "forbidden",
    HTTPStatus.NOT_FOUND: "not_found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body_too_large",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "unsupported_media_type",
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: "range_not_satisfiable",
    HTTPStatus.INTERNAL_SERVER_ERROR: "internal",
}

_HTTP_DETAIL: dict[int, str] = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address; /openapi.json lists the addresses.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not accept this method; the Allow header lists those it accepts.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than this server accepts.",
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        "Something went wrong on the server. If it happens again, report this request_id to its operator."
    ),
}


class FieldProblem(BaseModel):
    """One field that can't be accepted."""

    field: str = Field(description="Dotted path in the request, such as `start.prompt`; empty for the whole body.")
    message: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="Always `about:blank`: `code` distinguishes problems.")
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="What is wrong and what to do, for people.")
    code: str = Field(description="What is wrong, for programs; stable between versions.")
    errors: list[FieldProblem] = Field(default=[], description="The invalid fields, if the problem is about fields.")
    request_id: str = Field(description="Finds the request in the server's log; also in `X-Request-Id`.")
    trace_id: str | None = Field(default=None, description="Of its trace, where the server keeps one; 32 hex digits.")


def status_of(error: type[RiffusionError] | type[HTTPException]) -> int:
    """The HTTP status of a class of errors."""
    if issubclass(error, HTTPException):
        return error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    return next(status for cls, status in _STATUS if issubclass(error, cls))


def code_of(error: type[RiffusionError] | type[HTTPException]) -> str:
    """The stable code of a class of errors."""
    return _http_code(status_of(error)) if issubclass(error, HTTPException) else error.code


def response(status: int, code: str, detail: str, fields: list[FieldProblem], request_id: str) -> Response:
    """A problem as a response."""
    problem = Problem(
        type="about:blank", title=HTTPStatus(status).phrase, status=status, detail=_brief(detail), code=code,
        errors=fields, request_id=request_id, trace_id=tracing.ids().get("trace_id"),
    )  # fmt: skip
    made = Response(problem.model_dump_json(exclude_none=True), status, content_type=PROBLEM_TYPE)
    made.headers["Cache-Control"] = "no-store"
    return made


def as_text(response: Response) -> Response:
    """The same response; a problem's detail alone, as text, for clients that take any JSON for what they asked for."""
    if response.mimetype == PROBLEM_TYPE:
        response.set_data(f"{response.get_json()['detail']}\n")
        response.content_type = "text/plain; charset=utf-8"
    return response


def register(app: Flask) -> None:
    """Turns every error of `app` into a problem."""
    app.register_error_handler(RiffusionError, _known)
    app.register_error_handler(HTTPException, _http)  # Flask logs any other exception and raises one of these


def _known(error: RiffusionError) -> Response:
    status = status_of(type(error))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        raise error
    fields: list[FieldProblem] = []
    if isinstance(error, InvalidRequest):
        fields = [
            FieldProblem(field=_brief(each["field"]), message=_brief(each["message"]))
            for each in error.fields[:MAX_FIELDS]
        ]
    elif isinstance(error, UnknownReference) and error.field:
        fields = [FieldProblem(field=error.field, message=str(error))]
    made = response(status, error.code, str(error), fields, request_id())
    if isinstance(error, UnavailableError):
        made.headers["Retry-After"] = str(max(1, round(error.retry_after)))
    if isinstance(error, Unauthorized):
        made.headers["WWW-Authenticate"] = 'Bearer realm="riffusion"'
    return made


def _http(error: HTTPException) -> Any:
    if error.response is not None or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
        return error
    has_own_detail = error.description != type(error).description
    detail = error.description if has_own_detail else _HTTP_DETAIL.get(error.code, error.description)
    made = response(error.code, _http_code(error.code), detail or error.name, [], request_id())
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            made.headers[name] = value
    return made


def _http_code(status: int) -> str:
    return _HTTP_CODE.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_")


def _brief(text: str) -> str:
    """Cuts a text off: it may quote the request, such as a field's name a megabyte long."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
