"""On whose behalf clients act, and what those who act for one account know of its jobs."""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Quota
from tests.faults.history.record import Limits


@dataclass
class Known:
    """A job that a client of this account knows of."""

    id: str
    label: str
    request: Mapping[str, Any]  # as the server completed it
    ended: str | None = None  # how
    ran: bool = False  # and was not copied


@dataclass
class Account:
    """A key, or a client without one, with an address of this machine and a secret. Thread-safe."""

    name: str
    limits: Limits = field(default_factory=Limits)
    headers: Mapping[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"  # from which it connects
    webhook_secret: str | None = None
    webhook: str | None = None  # where its jobs' ends are delivered
    upload: str | None = None  # a picture that was stored
    delivered: set[str] = field(default_factory=set)  # jobs whose webhook was acknowledged
    jobs: dict[str, Known] = field(default_factory=dict)  # without those that a client asked to delete
    deleted: set[str] = field(default_factory=set)
    sent: dict[str, Any] = field(default_factory=dict)  # bodies and what is recorded of them, by their Idempotency-Key
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def with_key(cls, name: str, store: JobStore, limits: Limits) -> "Account":
        """A new key."""
        quota = Quota(limits.creates_per_minute, limits.jobs_in_flight)
        text, key = KeyStore(store.redis, store.settings).create(name, quota)
        return cls(name, limits, {"Authorization": f"Bearer {text}"}, webhook_secret=key.webhook_secret)

    @classmethod
    def without_key(cls, name: str, address: str) -> "Account":
        """A client without a key, with an address of its own in 127/8."""
        return cls(name, headers={"Riffusion-Secret": secrets.token_urlsafe(24)}, address=address)

    def learn(self, job: Mapping[str, Any]) -> None:
        """Keeps what a response said of a job."""
        with self.lock:
            if job["id"] in self.deleted:
                return
            label = str(job["request"].get("negative_prompt", ""))
            known = self.jobs.setdefault(job["id"], Known(job["id"], label, job["request"]))
            if job["status"] in ("succeeded", "failed", "canceled"):
                known.ended, known.ran = job["status"], job["attempts"] > 0

    def forget(self, job_id: str) -> None:
        """Before a DELETE is sent."""
        with self.lock:
            if self.jobs.pop(job_id, None):
                self.deleted.add(job_id)

    def known(self) -> list[Known]:
        """Jobs that should be there."""
        with self.lock:
            return list(self.jobs.values())
