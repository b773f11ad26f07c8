"""Jobs of all clients, as operators look for them: by status, model, client, error and age, newest first."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from redis import Redis

from riffusion.errors import NotFound
from riffusion.jobs.acceptance import decode_place
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import Page
from riffusion.settings import Settings

PAGE = 100


@dataclass(frozen=True)
class JobFilter:
    """Which jobs to find: those that match every field that is given."""

    status: JobStatus | None = None
    model: str | None = None
    client: str | None = None
    """A tenant: `address:<address>`, `key:<id>` or `key:<id>/<end user>`."""
    key: str | None = None
    """The id of a key: its own jobs and those of all its end users."""
    error: str | None = None
    """The code of the error by which they failed."""
    since: float | None = None
    """Accepted at this time or later, Unix seconds."""
    before: float | None = None
    """Accepted before this time, Unix seconds."""


class JobSearch:
    """Finds jobs in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond.

    Jobs that were accepted by a version without this list, up to 2026-11-28, are only found by `client`, where that is
    a key's.
    """

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._default = settings.model

    def page(self, wanted: JobFilter, limit: int = PAGE, cursor: str | None = None) -> Page:
        """At most `limit` jobs, newest first; fewer, even none, before the last page: a call reads 1000 at most."""
        text = json.dumps({name: value for name, value in asdict(wanted).items() if value is not None})
        next_cursor, *jobs = self._database.run("search_jobs", text, limit, cursor or "")
        records = tuple(JobRecord.decode(pairs(record)) for record, _ in jobs)
        return Page(records, tuple(decode_place(place) for _, place in jobs), next_cursor.decode() or None)

    def require_model(self, model: str) -> None:
        """Returns if there is such a model, or a job for one that was retired.

        Raises:
            NotFound: there is neither; it names the models there are.
        """
        known = {self._default, *(name.decode() for name in self._database.command("SMEMBERS", "models"))}
        if model not in known and next(self.all(JobFilter(model=model)), None) is None:
            raise NotFound(f"There is no model {model}, and no job for it. The models are: {', '.join(sorted(known))}.")

    def all(self, wanted: JobFilter) -> Iterator[JobRecord]:
        """All jobs that match, newest first, page by page as they are consumed."""
        cursor: str | None = None
        while True:
            page = self.page(wanted, cursor=cursor)
            yield from page.records
            cursor = page.cursor
            if cursor is None:
                return
