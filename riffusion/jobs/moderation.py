"""What an operator does to published clips: look, take down, restore, dismiss reports."""

from dataclasses import dataclass

from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.database import Database
from riffusion.jobs.gallery import GalleryStore
from riffusion.jobs.reports import ReportStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.takedowns import DIGEST, TakedownStore, clip_digest
from riffusion.settings import Settings


@dataclass(frozen=True)
class Target:
    """A published clip."""

    share_id: str
    job_id: str
    digest: str
    """By which take-downs recognise it."""


class Moderation:
    """The published clips of one Redis, for operators. Methods raise StoreUnavailable where it doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        store = JobStore(redis, settings)
        self._database = Database(redis, settings)
        self._shares = ShareStore(redis, store, settings)
        self.clips = GalleryStore(redis, store, settings)
        self.reports = ReportStore(redis, settings)
        self.takedowns = TakedownStore(redis, settings)

    def find(self, share_id: str) -> Target:
        """A clip that is published, or was until it was taken down.

        Raises:
            NotFound, Gone: there is none, or not any more.
        """
        job_id = self._shares.find(share_id).id
        digest = clip_digest(self._database, job_id)
        if not digest:
            raise Gone("This clip has just expired, or its maker has deleted it.")
        return Target(share_id, job_id, digest)

    def take_down(self, target: Target, reason: str, by: str) -> None:
        """Takes a clip down, for everybody and under every share id."""
        self.takedowns.take_down(target.digest, target.share_id, reason, by)

    def find_taken_down(self, name: str) -> str:
        """The digest of a clip that is taken down, by its share id or by the digest itself.

        Raises:
            NotFound: there is none.
        """
        if DIGEST.fullmatch(name) and self.takedowns.find(name):
            return name
        for takedown in self.takedowns.all():
            if takedown.share_id == name:
                return takedown.digest
        try:
            digest = self.find(name).digest  # it may have been taken down under another share id
        except NotFound:
            digest = ""
        if not self.takedowns.find(digest):
            raise NotFound("This clip isn't taken down; `riffusion clips list --taken-down` lists those that are.")
        return digest
