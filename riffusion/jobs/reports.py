"""Visitors' reports of published clips, for operators. However many there are, a report hides nothing by itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from redis import Redis

from riffusion.errors import RiffusionError, TooManyRequests
from riffusion.jobs.database import Database
from riffusion.jobs.tenants import UNLIMITED, refusal
from riffusion.requests.plain_text import plain
from riffusion.settings import Settings

MAX_DETAILS = 300  # characters
_PER_HOUR = 20  # of one client
_REPORTERS = 100  # whose reports of one clip count; further ones say nothing new
_CLIPS = 10_000  # with reports that are kept, the latest; some 400 bytes each, 5 kB at most


class ReportReason(StrEnum):
    """What may be wrong with a published clip."""

    RIGHTS = "rights"
    """It, or its text, uses what belongs to somebody else."""
    OFFENSIVE = "offensive"
    """Its text is hateful, sexual or violent."""
    PRIVATE = "private"
    """Its text says something private about a person."""
    SPAM = "spam"
    """It advertises something, or is there to annoy."""
    OTHER = "other"
    """Something else, which the details say."""


@dataclass(frozen=True)
class Reports:
    """The reports of one clip."""

    count: int = 0
    """Clients that have reported it."""
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Reason -> how many."""
    details: tuple[str, ...] = ()
    """The latest three."""

    @classmethod
    def decode(cls, data: Mapping[bytes, bytes]) -> "Reports":
        """The reports from their hash in Redis."""
        text = {name.decode(): value.decode() for name, value in data.items()}
        reasons = {name[7:]: int(count) for name, count in text.items() if name.startswith("reason:")}
        return cls(int(text.get("count", 0)), reasons, tuple(json.loads(text.get("details", "[]"))))


class ReportStore:
    """The reports in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def add(self, share_id: str, reason: ReportReason, details: str, scopes: tuple[str, ...]) -> None:
        """Notes a report; the second one of a clip by the same client changes nothing.

        Args:
            share_id: of a clip that is published.
            scopes: the client's name and the networks around it. What is kept of them is 20 bits of a hash: enough to
                count a client once, and the same for thousands of addresses.

        Raises:
            Blocked: the client may create nothing.
            TooManyRequests: it has reported many clips within the hour.
            StoreUnavailable: Redis has no memory for reports.
        """
        reporter = hashlib.sha256(f"{share_id} {scopes[0]}".encode()).hexdigest()[:5]
        reply = self._database.run(
            "report_clip", share_id, reporter, reason, plain(details)[:MAX_DETAILS], json.dumps(scopes), _PER_HOUR,
            _REPORTERS, _CLIPS,
        )  # fmt: skip
        if error := _refusal(reply):
            raise error

    def dismiss(self, share_id: str) -> bool:
        """Takes a clip off the list of reported ones, until another client reports it; False: it wasn't on it."""
        return bool(self._database.write("ZREM", "reported", share_id))


def _refusal(reply: list[bytes]) -> RiffusionError | None:
    match reply:
        case [b"too many reports", seconds]:
            return TooManyRequests(f"You may report {_PER_HOUR} clips an hour.", retry_after=float(seconds))
    return refusal(reply, UNLIMITED)
