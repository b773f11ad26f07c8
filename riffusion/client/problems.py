"""A response with an error as this project's error."""

import email.utils
import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ValidationError

from riffusion.client.models import JobFailure
from riffusion.errors import (
    FieldError,
    InvalidRequest,
    JobError,
    RequestError,
    RiffusionError,
    UnavailableError,
    UnknownReference,
)

RETRIED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class ProblemField(BaseModel):
    """One field of a request that can't be accepted."""

    field: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    code: str
    detail: str
    errors: list[ProblemField] = []


def error_of(response: httpx.Response) -> RiffusionError:
    """The error that a response with status 400 or above stands for."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        said = f"{response.url.host} responded with {response.status_code} {response.reason_phrase}."
        problem = Problem(code="", detail=said)
    if response.status_code in RETRIED:
        fallback: type[RiffusionError] = UnavailableError
    else:
        fallback = RequestError if response.is_client_error else RiffusionError
    return make_error(problem.code, problem.detail, fallback, _fields(problem), _retry_after(response))


def _fields(problem: Problem) -> list[FieldError]:
    return [{"field": each.field, "message": each.message} for each in problem.errors]


def make_error(
    code: str,
    detail: str,
    fallback: type[RiffusionError],
    fields: Sequence[FieldError] = (),
    retry_after: float = 0,
) -> RiffusionError:
    """The error with this code; of an unknown code, a `fallback` with that code."""
    known = next((kind for kind in _subclasses(RiffusionError) if kind.code == code), fallback)
    error: RiffusionError
    if issubclass(known, InvalidRequest):
        error = known([*fields] or [{"field": "", "message": detail}])
    elif issubclass(known, UnknownReference):
        error = known(detail, fields[0]["field"] if fields else "")
    elif issubclass(known, UnavailableError):
        error = known(detail, retry_after)
    else:
        error = known(detail)
    if code:
        error.__dict__["code"] = code  # callers branch on it, also where this version has no class with it
    return error


def job_error(failure: JobFailure) -> RiffusionError:
    """The error that ended a job."""
    return make_error(failure.code, failure.detail, JobError)


def _subclasses(kind: type[RiffusionError]) -> Iterator[type[RiffusionError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _retry_after(response: httpx.Response) -> float:
    """Seconds after which the server asks for the next attempt (RFC 9110, 10.2.3); 0 if it gives none."""
    value = response.headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
