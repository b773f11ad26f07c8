"""Webhooks as a server receives them: verified and parsed."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from riffusion.client.models import JobData
from riffusion.client.transport import unreadable
from riffusion.errors import InvalidSignature, SetupError

PREFIX = "whsec_"
TOLERANCE_S = 300  # between the sender's clock and this one


class Headers(Protocol):
    """A request's headers, of any web framework."""

    def items(self) -> Iterable[tuple[str, str]]:
        """Names and values."""


class _Body(BaseModel):
    model_config = ConfigDict(defer_build=True)

    type: str
    timestamp: datetime
    data: JobData


@dataclass(frozen=True)
class Message:
    """A verified webhook."""

    id: str
    """Its `webhook-id`. Messages are delivered at least once: ignore one whose id you have seen."""
    type: str
    """`job.succeeded`, `job.failed` or `job.canceled`."""
    timestamp: datetime
    data: JobData
    """The job that has ended."""


def unwrap(body: bytes | str, headers: Headers, secret: str) -> Message:
    """The message in a request to your webhook's address, if the server that knows the secret has sent it, and lately.

    Args:
        body: what came in, byte for byte.
        headers: of the request, in any case.
        secret: of the API key, `whsec_…`.

    Raises:
        InvalidSignature: it isn't the server's, or is older than five minutes; respond with 400.
        SetupError: the secret isn't one.
    """
    content = body.encode() if isinstance(body, str) else body
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise InvalidSignature(f"The request has no header {missing}.") from None
    expected = _signature(f"{message_id}.{timestamp}.".encode(errors="replace") + content, secret)
    if not any(hmac.compare_digest(each.encode(errors="replace"), expected) for each in signatures.split()):
        raise InvalidSignature("The signature isn't one of this secret.")
    if not abs(time.time() - int(timestamp)) <= TOLERANCE_S:  # a number: it is signed
        raise InvalidSignature("The message is more than five minutes old, or this computer's clock is wrong.")
    try:
        parsed = _Body.model_validate_json(content)
    except ValidationError as error:
        raise unreadable("The server", error) from None
    return Message(message_id, parsed.type, parsed.timestamp, parsed.data)


def _signature(signed: bytes, secret: str) -> bytes:
    """As Standard Webhooks 1.0 has it."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise SetupError(f"The webhook's secret must be {PREFIX}… as it was shown with the key.")
    return b"v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
