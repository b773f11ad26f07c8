"""HTTP with retries: repeats requests that failed transiently, and raises problem+json as this project's errors."""

import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from riffusion.backoff import Backoff
from riffusion.client.problems import error_of
from riffusion.client.wire import Wire
from riffusion.errors import Gone, InvalidRequest, NotFound, RequestError, RiffusionError, SetupError, UnavailableError

END_USER_HEADER = "Riffusion-End-User"
SECRET_HEADER = "Riffusion-Secret"  # noqa: S105 -- its name
BACKOFF = Backoff(first_s=0.5, longest_s=10.0)

_M = TypeVar("_M", bound=BaseModel)


class NoResponse(UnavailableError):
    """The server can't be reached, or its response broke off: it may have carried out the request."""


class Retries:
    """The pauses between attempts at one thing, for `retry_for_s` from now on."""

    def __init__(self, wire: Wire, retry_for_s: float) -> None:
        self._wire = wire
        self._pauses = iter(BACKOFF)
        self._deadline = time.monotonic() + retry_for_s

    async def pause(self, error: UnavailableError) -> None:
        """Pauses as the server asks; otherwise ever longer, and at random so that clients don't retry together.

        Raises:
            UnavailableError: the same; the next attempt would come too late.
        """
        longest = next(self._pauses)
        delay = max(error.retry_after, 0) or longest * random.uniform(0.5, 1)  # noqa: S311
        if time.monotonic() + delay > self._deadline:
            raise error
        await self._wire.sleep(delay)


@dataclass(frozen=True)
class Transport:
    """The connections to one server, with one key or secret.

    Every request may be repeated: those that create something carry an Idempotency-Key.
    """

    wire: Wire
    url: httpx.URL
    """The server's address, with a slash at its end."""
    timeout_s: float
    """Seconds that one attempt may wait for the server."""
    retry_for_s: float
    """Seconds for which one request is repeated."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """For the server only."""

    @classmethod
    def to(cls, url: str, key: str | None, secret: str | None, wire: Wire, **limits: float) -> "Transport":
        """A transport to a server.

        Raises:
            SetupError: the address doesn't begin with http:// or https://.
        """
        if not url.startswith(("http://", "https://")):
            raise SetupError(f"{url} is not a server's address: it must begin with http:// or https://.")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= {SECRET_HEADER: secret} if secret else {}
        try:
            return cls(wire, httpx.URL(url.rstrip("/") + "/"), headers=headers, **limits)
        except httpx.InvalidURL as error:
            raise SetupError(f"{url} is not a server's address: {error}.") from None

    def for_end_user(self, end_user: str) -> "Transport":
        """The same connections and key, on behalf of one of the people whom the key's owner serves."""
        return replace(self, headers={**self.headers, END_USER_HEADER: end_user})

    def with_options(self, timeout_s: float | None = None, retry_for_s: float | None = None) -> "Transport":
        """The same connections with other limits, where given."""
        return replace(
            self,
            timeout_s=self.timeout_s if timeout_s is None else timeout_s,
            retry_for_s=self.retry_for_s if retry_for_s is None else retry_for_s,
        )

    def retries(self) -> Retries:
        """The pauses of something that begins now."""
        return Retries(self.wire, self.retry_for_s)

    async def request(self, method: str, path: str, *, wait_s: float = 0, **options: Any) -> httpx.Response:
        """Sends a request until it has a response, for `retry_for_s` at most.

        Args:
            path: relative to the server's address, or a whole URL; the key is sent to the server only.
            wait_s: seconds for which the server may hold the response, on top of the timeout.

        Raises:
            RiffusionError: the class that the response's `code` names; UnavailableError without a response.
        """
        retries = self.retries()
        lost = False
        while True:
            try:
                async with self.stream(method, path, wait_s=wait_s, **options) as response:
                    await self.wire.read(response)
                    return response
            except UnavailableError as error:
                lost = lost or isinstance(error, NoResponse)
                await retries.pause(error)
            except (NotFound, Gone):
                if not (method == "DELETE" and lost):
                    raise
                return httpx.Response(HTTPStatus.NO_CONTENT)  # the attempt without a response has deleted it

    async def fetch(self, kind: type[_M], method: str, path: str, **options: Any) -> _M:
        """The body of a response as a model.

        Raises:
            RiffusionError: see `request`; or the body isn't what this client expects.
        """
        return parsed(kind, await self.request(method, path, **options))

    @asynccontextmanager
    async def stream(
        self, method: str, path: str, *, wait_s: float = 0, **options: Any
    ) -> AsyncGenerator[httpx.Response, None]:
        """One attempt at a request whose response is read as it arrives.

        Raises:
            RiffusionError: see `request`.
        """
        url = _joined(self.url, path)
        server = f"{url.scheme}://{url.netloc.decode()}"  # without a password
        own = (url.scheme, url.host, url.port) == (self.url.scheme, self.url.host, self.url.port)
        headers = {**(self.headers if own else {}), **options.pop("headers", {})}
        _check_headers(headers)
        timeout = httpx.Timeout(self.timeout_s, read=self.timeout_s + wait_s)
        try:
            async with self.wire.stream(
                # A redirect would take the secret to another host, and make a GET of a POST.
                method, url, headers=headers, timeout=timeout, follow_redirects=not own, **options
            ) as response:  # fmt: skip
                if response.has_redirect_location:
                    raise SetupError(f"{server} leads to {response.headers['Location']}: use that server's address.")
                if response.is_error:
                    await self.wire.read(response)
                    raise error_of(response)
                yield response
        except httpx.RequestError as error:
            raise NoResponse(
                f"The server at {server} doesn't respond: {error or type(error).__name__}", retry_after=0
            ) from error


def _joined(base: httpx.URL, path: str) -> httpx.URL:
    try:
        url = base.join(path)
    except httpx.InvalidURL as error:
        raise RequestError(f"{path} is not an address: {error}.") from None
    if url.scheme not in ("http", "https"):
        raise RequestError(f"{path} is not an address of the web.")
    return url


def _check_headers(headers: Mapping[str, str]) -> None:
    """Some httpx would refuse as if the server had failed, and quote them: the key, too."""
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable() and value == value.strip()):
            raise InvalidRequest([{"field": name, "message": "must be visible ASCII, without space around it"}])


def parsed(kind: type[_M], response: httpx.Response) -> _M:
    """A response's body as a model.

    Raises:
        RiffusionError: it isn't one.
    """
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        raise unreadable(str(response.url), error) from None


def unreadable(source: str, error: ValidationError) -> RiffusionError:
    """The error for a body that isn't what this client expects."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return RiffusionError(f"{source} sent what this client can't read: {place or 'the body'}: {first['msg']}.")
