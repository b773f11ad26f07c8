"""Published clips: an id that shows a job's clip to everyone and gives no other access to the job."""

import base64
import hashlib
import re

from redis import Redis

from riffusion.errors import Gone, NotFound, TakenDown, UnknownReference
from riffusion.jobs.database import Database
from riffusion.jobs.gallery import publishing_refusal
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.takedowns import TakedownStore, clip_digest
from riffusion.requests import SCHEMA
from riffusion.settings import Settings

_BYTES = 16
_FORM = re.compile("[A-Za-z0-9_-]{22}")


class ShareStore:
    """The shares in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, store: JobStore, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._store = store
        self._takedowns = TakedownStore(redis, settings)

    def publish(self, job_id: str, identity: str | None = None) -> str:
        """The job's share id; the same one however often it is published.

        Raises:
            NotFound, Gone: there is no such job that `identity` may see.
            UnknownReference: the job has no clip.
            Blocked: the job's client may create nothing.
            TakenDown: an operator has taken the clip down.
        """
        self._store.get(job_id, identity)
        share_id = _share_id(job_id)
        reply = self._database.run("publish_clip", share_id, job_id, clip_digest(self._database, job_id))
        if error := publishing_refusal(reply):
            raise error
        status = reply[0].decode()
        if not status:
            self._store.get(job_id)  # raises: it was deleted in between
        if status != JobStatus.SUCCEEDED:
            raise UnknownReference(f"This job has no clip to publish: it is {status}.")
        return share_id

    def get(self, share_id: str) -> JobRecord:
        """The job whose clip was published.

        Raises:
            NotFound: there is no such share.
            Gone: the job has expired or was deleted.
            TakenDown: an operator has taken the clip down.
        """
        record = self.find(share_id)
        takedown = self._takedowns.find(clip_digest(self._database, record.id))
        if takedown is not None:
            raise TakenDown(takedown.reason)
        return record

    def find(self, share_id: str) -> JobRecord:
        """The same, also of a clip that was taken down."""
        # Of another form, an id might be another name of a key of Redis: a clip has one address.
        known = _keys(share_id) if _FORM.fullmatch(share_id) else []
        job_id = next(filter(None, map(self._database.text, known)), None)
        if job_id is None:
            raise NotFound("There is no such clip, or it was never published.")
        try:
            return self._store.get(job_id)
        except (NotFound, Gone):
            raise Gone("This clip has expired, or its maker deleted it.") from None


def share_keys(job_id: str) -> list[str]:
    """The keys in Redis of which one exists where a job's clip was published."""
    return _keys(_share_id(job_id))


def _keys(share_id: str) -> list[str]:
    return [f"share:{share_id}", *(f"share:{schema}:{share_id}" for schema in range(2, SCHEMA + 1))]


def _share_id(job_id: str) -> str:
    """A hash: the job's id, which gives access to it, can't be read back from it."""
    digest = hashlib.sha256(b"share:" + job_id.encode()).digest()[:_BYTES]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
