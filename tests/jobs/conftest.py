"""What the tests of jobs share: short ways to submit, run and age a job."""

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest
from redis import Redis

from riffusion.jobs.acceptance import Acceptance, Idempotency, Place, Submission
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.reconcile import Reconciliation
from riffusion.jobs.record import AudioOutput, ImageOutput, JobOutput, JobRecord, Success
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.tenants import UNLIMITED, Quota, Tenant, key_tenant
from riffusion.jobs.uploads import Upload, UploadInfo, UploadStore
from riffusion.requests import AnyRequest, parse
from riffusion.settings import Settings
from riffusion.storage import Storage, open_storage

T = TypeVar("T")
MODEL = "tiny"


def prompt(text: str = "funk bassline", **fields: object) -> AnyRequest:
    """A request for a clip."""
    return parse({"mode": "text-to-audio", "prompt": text, **fields})


def by(name: str, weight: float = 1.0, quota: Quota = UNLIMITED) -> Tenant:
    """The tenant of this name."""
    return Tenant(name, owner=name, weight=weight, quota=quota)


def accept(store: JobStore, submissions: Sequence[Submission], key: str | None = None) -> Acceptance:
    """Submissions as a body, with an idempotency key."""
    body = [submission.request.model_dump(mode="json", exclude_unset=True) for submission in submissions]
    return store.accept(submissions, Idempotency.of(key, body, submissions) if key else None)


def submit(store: JobStore, client: str = "alice", weight: float = 1.0, **fields: object) -> JobRecord:
    """One accepted job."""
    return store.accept([Submission(prompt(**fields), by(client, weight))]).records[0]  # type: ignore[arg-type]


def place(store: JobStore, record: JobRecord) -> Place | None:
    """Where a job stands now."""
    return store.get_with_place(record.id)[1]


def claim(store: JobStore, worker: str = "w1", nonce: str | None = None) -> JobRecord:
    """The next job, which must be there."""
    record = store.claim(MODEL, worker, nonce or f"nonce-{threading.get_ident()}-{next(_nonces)}")
    assert record is not None
    return record


_nonces = iter(range(10**9))


def success(record: JobRecord) -> Success:
    """The outcome of this attempt."""
    image = ImageOutput(f"{record.folder}clip.png", width=512, height=512, bytes=1000)
    audio = AudioOutput(f"{record.folder}clip.mp3", 5.11, sample_rate=44_100, channels=2, format="mp3", bytes=2000)
    return Success(JobOutput(image, audio), warnings=("too quiet",))


def new_key(redis: Redis, store: JobStore, quota: Quota = UNLIMITED, weight: float = 1.0) -> Tenant:
    """A client with a key."""
    _, key = KeyStore(redis, store.settings).create("tests", quota, weight=weight)
    name = key_tenant(key.id)
    return Tenant(name, owner=name, weight=weight, quota=quota)


@pytest.fixture
def tenant(redis: Redis, store: JobStore) -> Tenant:
    return new_key(redis, store)


@pytest.fixture
def batches(store: JobStore) -> BatchStore:
    """Batches on `store`, which has one worker with a slot."""
    store.models.register("w1", "tiny", 1)
    store.reap()
    return BatchStore(store)


@pytest.fixture
def files(settings: Settings) -> Storage:
    """The store that the settings name."""
    return open_storage(settings)


@pytest.fixture
def sweep(redis: Redis, files: Storage, settings: Settings) -> Callable[[], int]:
    """Deletes expired files; returns how many entries it has handled."""
    return Sweep(redis, files, settings).run


def store_files(files: Storage, record: JobRecord) -> None:
    """What an attempt stores before it finishes."""
    for name in ("clip.png", "clip.mp3"):
        files.put(f"{record.folder}{name}", b"x", "image/png")


def add_upload(uploads: UploadStore, tenant: Tenant, content: bytes = b"picture") -> Upload:
    """A picture of a tenant's."""
    return uploads.add(tenant, io.BytesIO(content), UploadInfo("image", "image/png", width=512, height=512))


def sweep_now(redis: Redis, record: JobRecord) -> None:
    """Makes a job due for the sweep."""
    redis.zadd("sweep_at", {f"job:{record.id}": 1})


def to_sweep(redis: Redis) -> set[str]:
    """What the sweep has to delete some day, but for the lists of what was deleted."""
    members: list[bytes] = redis.zrange("sweep_at", 0, -1)  # type: ignore[assignment]
    return {member.decode() for member in members if not member.startswith(b"file:erasures/")}


def expire(redis: Redis, record: JobRecord) -> None:
    """Lets a job have ended long ago."""
    redis.hset(f"job:{record.id}", "completed_at", "1")
    sweep_now(redis, record)


def run(store: JobStore, worker: str = "w1") -> JobRecord:
    """Claims the next job and finishes it."""
    record = claim(store, worker)
    assert store.finish(record.id, record.token, success(record))
    return store.get(record.id)


def at_once(call: Callable[[int], T], threads: int = 16) -> list[T]:
    """The results of as many calls at the same moment."""
    gate = threading.Barrier(threads)

    def wait_and_call(index: int) -> T:
        gate.wait()
        return call(index)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(wait_and_call, range(threads)))


def keys(redis: Redis, pattern: str = "*") -> set[str]:
    """The names of everything in Redis."""
    return {key.decode() for key in redis.scan_iter(pattern, count=1000)}


def lose(redis: Redis, record: JobRecord) -> None:
    """Lets the lease of a running job be over, as after its worker died."""
    _age(redis, record.id, "lease_until")


def overrun(redis: Redis, record: JobRecord) -> None:
    """Lets a job have run longer than it may."""
    _age(redis, record.id, "running_until")


def stall(redis: Redis, record: JobRecord) -> None:
    """Lets a job have made no progress for too long."""
    _age(redis, record.id, "stalled_until")


def outwait(redis: Redis, record: JobRecord) -> None:
    """Lets a job have waited longer than it may."""
    redis.zadd("due", {record.id: 1})


def _age(redis: Redis, job_id: str, timer: str) -> None:
    redis.hset(f"job:{job_id}", timer, "1")
    redis.zadd("due", {job_id: 1})


@pytest.fixture
def configured(redis: Redis, settings: Settings) -> Callable[..., JobStore]:
    """Makes stores with other settings."""

    def make(**changes: object) -> JobStore:
        return JobStore(redis, settings.model_copy(update=changes))

    return make


@pytest.fixture
def shares(redis: Redis, store: JobStore, settings: Settings) -> ShareStore:
    return ShareStore(redis, store, settings)


@pytest.fixture
def published(store: JobStore, shares: ShareStore, files: Storage) -> str:
    """The share id of a clip of seed 7."""
    submit(store, seed=7)
    record = run(store)
    store_files(files, record)
    return shares.publish(record.id)


@pytest.fixture
def erase_again(redis: Redis, files: Storage, settings: Settings, sweep: Callable[[], int]) -> Callable[[], list[str]]:
    """Writes what is to be remembered, repeats what the storage remembers, and returns what was found."""

    def call() -> list[str]:
        sweep()
        reconciliation = Reconciliation(redis, files, settings, min_age_s=600)
        return reconciliation.run(erase_again=True).returned.examples

    return call


@pytest.fixture
def backup(redis: Redis, sweep: Callable[[], int]) -> Callable[[], AbstractContextManager[None]]:
    """A backup of Redis, which is put back at the end of the block."""

    @contextmanager
    def made() -> Iterator[None]:
        before = {key: redis.dump(key) for key in redis.scan_iter()}
        yield
        sweep()
        redis.flushdb()
        for key, value in before.items():
            redis.restore(key, 0, value)  # type: ignore[arg-type]

    return made
