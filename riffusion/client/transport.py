"""HTTP with retries: repeats requests that failed transiently, and raises problem+json as this project's errors."""

import copy
import email.utils
import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx

from riffusion.backoff import Backoff
from riffusion.errors import (
    InvalidRequest,
    JobError,
    RequestError,
    RiffusionError,
    SetupError,
    UnavailableError,
    UnknownReference,
)

RETRIED = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
END_USER_HEADER = "Riffusion-End-User"
SECRET_HEADER = "Riffusion-Secret"  # noqa: S105 -- its name
BACKOFF = Backoff(first_s=0.5, longest_s=10.0)


class Transport:
    """The connections to one server, with one key or secret.

    Every request may be repeated: those that create something carry an Idempotency-Key.
    """

    def __init__(
        self, url: str, key: str | None = None, secret: str | None = None, *, timeout_s: float, retry_for_s: float
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise SetupError(f"{url} is not a server's address: it must begin with http:// or https://.")
        self.url = httpx.URL(url.rstrip("/") + "/")
        self.retry_for_s = retry_for_s
        self._auth = {"Authorization": f"Bearer {key}"} if key else {}
        self._auth |= {SECRET_HEADER: secret} if secret else {}
        self._end_user: dict[str, str] = {}
        self._http = httpx.Client(timeout=timeout_s, follow_redirects=True)

    def for_end_user(self, end_user: str) -> "Transport":
        """The same connections and key, on behalf of one of the people whom the key's owner serves."""
        other = copy.copy(self)
        other._end_user = {END_USER_HEADER: end_user}
        return other

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def request(self, method: str, path: str, *, wait_s: float = 0, **options: Any) -> httpx.Response:
        """Sends a request until it has a response, for `retry_for_s` at most.

        Args:
            path: relative to the server's address, or a whole URL; the key is sent to the server only.
            wait_s: seconds for which the server may hold the response, on top of the timeout.

        Raises:
            RiffusionError: the class that the response's `code` names; UnavailableError without a response.
        """
        deadline = time.monotonic() + self.retry_for_s
        pauses = iter(BACKOFF)
        while True:
            try:
                with self.stream(method, path, wait_s=wait_s, **options) as response:
                    response.read()
                    return response
            except UnavailableError as error:
                pause = next(pauses)
                # As the server asks; otherwise ever longer, and at random so that clients don't retry together.
                delay = max(error.retry_after, 0) if error.retry_after else pause * random.uniform(0.5, 1)  # noqa: S311
                if time.monotonic() + delay > deadline:
                    raise
                time.sleep(delay)

    @contextmanager
    def stream(self, method: str, path: str, *, wait_s: float = 0, **options: Any) -> Iterator[httpx.Response]:
        """One attempt at a request whose response is read as it arrives.

        Raises:
            RiffusionError: see `request`.
        """
        url = self.url.join(path)
        own = (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)
        headers = {**(self._auth | self._end_user if own else {}), **options.pop("headers", {})}
        timeout = self._http.timeout
        longer = httpx.Timeout(timeout.connect, read=(timeout.read or 0) + wait_s)
        try:
            with self._http.stream(method, url, headers=headers, timeout=longer, **options) as response:
                if response.is_error:
                    response.read()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise UnavailableError(
                f"The server at {self.url} doesn't respond: {error or type(error).__name__}", retry_after=0
            ) from error


def error_of(response: httpx.Response) -> RiffusionError:
    """The error that a response with status 400 or above stands for."""
    try:
        problem = response.json()
        code, detail = str(problem["code"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        problem, code = {}, ""
        detail = f"{response.url.host} answered {response.status_code} {response.reason_phrase}."
    if response.status_code in RETRIED:
        fallback: type[RiffusionError] = UnavailableError
    else:
        fallback = RequestError if response.is_client_error else RiffusionError
    return make_error(code, detail, fallback, problem.get("errors") or [], _retry_after(response))


def make_error(
    code: str,
    detail: str,
    fallback: type[RiffusionError],
    fields: list[Mapping[str, str]] | None = None,
    retry_after: float = 0,
) -> RiffusionError:
    """The error with this code; of an unknown code, a `fallback` with that code."""
    known = next((kind for kind in _subclasses(RiffusionError) if kind.code == code), fallback)
    error: RiffusionError
    if issubclass(known, InvalidRequest):
        error = known([{"field": f["field"], "message": f["message"]} for f in fields or []])
    elif issubclass(known, UnknownReference):
        error = known(detail, fields[0]["field"] if fields else "")
    elif issubclass(known, UnavailableError):
        error = known(detail, retry_after)
    else:
        error = known(detail)
    if code:
        error.__dict__["code"] = code  # callers branch on it, also where this version has no class with it
    return error


def job_error(error: Mapping[str, str]) -> RiffusionError:
    """The error that ended a job, from its `error` field."""
    return make_error(error["code"], error["detail"], JobError)


def _subclasses(kind: type[RiffusionError]) -> Iterator[type[RiffusionError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _retry_after(response: httpx.Response) -> float:
    """Seconds after which the server asks for the next attempt (RFC 9110, 10.2.3); 0 if it gives none."""
    value = response.headers.get("Retry-After", "")
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError):
        return 0.0
