"""Lists of published clips: for everyone the gallery, of those that their publishers list; and operators' lists."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from redis import Redis

from riffusion.errors import RiffusionError, TakenDown, TooManyRequests, UnknownReference
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.record import JobRecord
from riffusion.jobs.reports import Reports
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import LISTS_PER_MINUTE, UNLIMITED, list_refusal, refusal
from riffusion.settings import Settings

MAX_LISTED = 24  # clips of one client: nobody fills the gallery alone
LISTINGS_PER_HOUR = 120  # of one client: taking out what was listed is remembered for days
_FULL_RETRY_S = 3600


class ClipIndex(StrEnum):
    """Which published clips."""

    GALLERY = "gallery"
    """Those that their publishers list."""
    PUBLISHED = "published"
    """All."""
    REPORTED = "reported"
    """Those with reports that no operator has dealt with."""


@dataclass(frozen=True)
class ListedClip:
    """A published clip, as one of a list."""

    share_id: str
    at: float
    """Unix seconds: when it was listed or published, or the last report came."""
    listed: bool
    """Whether it is in the gallery."""
    takedown: str | None
    """Why it was taken down."""
    reports: Reports
    record: JobRecord


@dataclass(frozen=True)
class ClipPage:
    """Part of a list."""

    clips: tuple[ListedClip, ...]
    cursor: str | None
    """For the next page; None after the last."""


class GalleryStore:
    """The lists in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, store: JobStore, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._store = store

    def add(self, job_id: str, identity: str | None = None) -> str:
        """Lists a published clip, and returns its share id. May be repeated.

        Raises:
            NotFound, Gone: there is no such job that `identity` may see.
            UnknownReference: it wasn't published.
            TakenDown: an operator has taken it down.
            Blocked: the job's client may create nothing.
            TooManyRequests: `MAX_LISTED` clips of that client are listed, or it has listed too many within an hour.
        """
        return self._set(job_id, identity, listed=True)

    def remove(self, job_id: str, identity: str | None = None) -> str:
        """Takes a published clip out, and returns its share id. May be repeated.

        Raises:
            NotFound, Gone, UnknownReference: see `add`.
        """
        return self._set(job_id, identity, listed=False)

    def _set(self, job_id: str, identity: str | None, *, listed: bool) -> str:
        self._store.get(job_id, identity)
        reply = self._database.run("list_clip", job_id, int(listed), MAX_LISTED, LISTINGS_PER_HOUR)
        if error := publishing_refusal(reply):
            raise error
        if reply == [b""]:
            raise UnknownReference("This clip isn't published: publish it first.")
        share_id: bytes = reply[1]
        return share_id.decode()

    def is_listed(self, share_id: str) -> bool:
        """Whether a clip is in the gallery."""
        return self._database.command("ZSCORE", ClipIndex.GALLERY, share_id) is not None

    def page(self, limit: int, cursor: str = "", scopes: tuple[str, ...] = ()) -> ClipPage:
        """A page of the gallery, without what was taken down.

        Args:
            scopes: of the client that asks.

        Raises:
            TooManyRequests: the client asks for lists too often.
        """
        return self._read(ClipIndex.GALLERY, limit, cursor, public=True, scopes=scopes)

    def all(self, index: ClipIndex, limit: int, cursor: str = "") -> ClipPage:
        """A page of any list, with what was taken down, for operators."""
        return self._read(index, limit, cursor, public=False, scopes=())

    def each(self, index: ClipIndex) -> Iterator[ListedClip]:
        """A whole list, for operators."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.all(index, 100, cursor)
            yield from page.clips
            cursor = page.cursor

    def _read(self, index: ClipIndex, limit: int, cursor: str, *, public: bool, scopes: tuple[str, ...]) -> ClipPage:
        arguments = (index, cursor, limit, int(public), json.dumps(scopes), LISTS_PER_MINUTE)
        reply = self._database.run("list_clips", *arguments, resend=False)
        if error := list_refusal(reply):
            raise error
        next_cursor, *clips = reply
        return ClipPage(tuple(map(_decode, clips)), next_cursor.decode() or None)


def listings(database: Database) -> Iterator[tuple[str, float]]:
    """The jobs whose clips are in the gallery, and when each was listed: Unix seconds, 0 where that isn't known.

    Raises:
        StoreUnavailable: Redis doesn't respond.
    """
    listed = set(database.members(ClipIndex.GALLERY))
    for page in database.scan("job:*") if listed else ():
        for job_id, share_id, at in database.many(("HMGET", key, "id", "share", "listed_at") for key in page):
            if share_id and share_id.decode() in listed:
                yield job_id.decode(), float(at or 0)


def publishing_refusal(reply: list[Any]) -> RiffusionError | None:
    """The error for a script's reply that refuses to publish or to list a clip; None for any other reply."""
    match reply:
        case [b"taken down", reason]:
            return TakenDown(reason.decode())
        case [b"too many listed"]:
            message = f"{MAX_LISTED} clips of yours are in the gallery; take one out, or wait until one expires."
            return TooManyRequests(message, retry_after=_FULL_RETRY_S)
        case [b"too many listings", seconds]:
            message = f"You may put {LISTINGS_PER_HOUR} an hour into the gallery."
            return TooManyRequests(message, retry_after=math.ceil(float(seconds)))
    return refusal(reply, UNLIMITED)


def _decode(found: list[Any]) -> ListedClip:
    share_id, at, listed, takedown, reports, record = found
    return ListedClip(
        share_id.decode(), int(at) / 1e6, bool(listed), takedown.decode() or None, Reports.decode(pairs(reports)),
        JobRecord.decode(pairs(record)),
    )  # fmt: skip
