"""The store against a model of it small enough to be obviously right, through any order of events.

What is proved: a job ends in exactly one state and stays there; at most one attempt's result counts, and it is that of
the attempt that held the job; nothing is lost and nothing is left over.
"""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from riffusion.errors import Conflict, Gone
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.statistics import read_statistics
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.conftest import ValkeyServer
from tests.jobs.conftest import MODEL, accept, by, keys, lose, outwait, overrun, prompt, success

WORKERS = ["w1", "w2", "w3"]
CLIENTS = ["a", "b", "c"]
MAX_ATTEMPTS = 3


@dataclass
class Expected:
    """A job as the model sees it."""

    status: JobStatus = JobStatus.QUEUED
    owner: JobRecord | None = None  # the attempt that holds it, or whose result counts
    attempts: int = 0
    forgiven: int = 0  # of those, before an operator requeued it
    deleted: bool = False
    history: list[JobStatus] = field(default_factory=list)  # terminal states seen


class StoreMachine(RuleBasedStateMachine):
    """Clients, workers, the reaper and death act in any order."""

    url: str

    def __init__(self) -> None:
        super().__init__()
        self.redis = Redis.from_url(self.url)
        self.redis.flushall()
        self.store = JobStore(self.redis, Settings(redis_url=self.url, max_attempts=MAX_ATTEMPTS))
        self.jobs: dict[str, Expected] = {}
        self.requeue = Requeue(self.redis, self.store.settings)
        self.attempts: list[JobRecord] = []  # every attempt that ever was; stale ones still act
        self.clients: dict[str, str] = {}
        self.submitted = self.requeues = 0

    def job_of(self, attempt: JobRecord) -> Expected:
        return self.jobs[attempt.id]

    def holds(self, attempt: JobRecord) -> bool:
        job = self.job_of(attempt)
        return job.status is JobStatus.RUNNING and job.owner == attempt and not job.deleted

    def pick(self, index: int) -> JobRecord:
        """An attempt: an even index means one that holds its job, if there is any, an odd one any that ever was."""
        holders = [attempt for attempt in self.attempts if self.holds(attempt)]
        choice = holders if holders and index % 2 == 0 else self.attempts
        return choice[index // 2 % len(choice)]

    def end(self, job: Expected, status: JobStatus, owner: JobRecord | None = None) -> None:
        job.status, job.owner = status, owner

    @rule(client=st.sampled_from(CLIENTS), count=st.integers(1, 3), steps=st.integers(2, 50))
    def submit(self, client: str, count: int, steps: int) -> None:
        self.submitted += 1
        bodies = [Submission(prompt(f"{self.submitted}", steps=steps), by(client))] * count
        first = accept(self.store, bodies, f"key{self.submitted}")
        again = accept(self.store, bodies, f"key{self.submitted}")  # as if the reply had been lost
        assert again.replayed
        assert again.records == first.records
        self.jobs |= {record.id: Expected() for record in first.records}
        self.clients |= dict.fromkeys((record.id for record in first.records), client)

    @rule(worker=st.sampled_from(WORKERS), repeated=st.booleans())
    def claim(self, worker: str, repeated: bool) -> None:
        nonce = f"nonce{len(self.attempts)}"
        record = self.store.claim(MODEL, worker, nonce)
        held = [job for job in self.jobs.values() if job.owner and job.owner.worker == worker]
        running = [job for job in held if job.status is JobStatus.RUNNING and not job.deleted]
        if record is None:
            waiting = any(job.status is JobStatus.QUEUED and not job.deleted for job in self.jobs.values())
            assert not waiting or running  # a worker that holds nothing gets whatever waits
            return
        job = self.jobs[record.id]
        assert job.status is JobStatus.QUEUED
        assert not job.deleted
        assert not any(other.owner and other.owner.solo for other in running)
        assert not (record.solo and running)
        job.attempts += 1
        assert record.attempts == job.attempts <= MAX_ATTEMPTS + job.forgiven
        assert all(record.token > attempt.token for attempt in self.attempts if attempt.id == record.id)
        self.end(job, JobStatus.RUNNING, record)
        self.attempts.append(record)
        if repeated:
            assert self.store.claim(MODEL, worker, nonce) == record

    @rule()
    def progress(self) -> None:
        for attempt in self.attempts:
            assert self.store.progress(attempt.id, attempt.token, 1, 20) == self.holds(attempt)

    @precondition(lambda self: self.attempts)
    @rule(index=st.integers(0, 1000))
    def finish(self, index: int) -> None:
        attempt = self.pick(index)
        job = self.job_of(attempt)
        counts = self.holds(attempt) or (job.status is JobStatus.SUCCEEDED and job.owner == attempt and not job.deleted)
        assert self.store.finish(attempt.id, attempt.token, success(attempt)) == counts
        if counts:
            self.end(job, JobStatus.SUCCEEDED, attempt)

    @precondition(lambda self: self.attempts)
    @rule(index=st.integers(0, 1000))
    def release(self, index: int) -> None:
        attempt = self.pick(index)
        holds = self.holds(attempt)
        assert self.store.release(attempt.id, attempt.token) == holds
        if holds:
            job = self.job_of(attempt)
            job.attempts -= 1
            self.end(job, JobStatus.QUEUED)

    @rule(worker=st.sampled_from(WORKERS), claims=st.integers(0, 3), times=st.integers(1, 3))
    def crash(self, worker: str, claims: int, times: int) -> None:
        """A worker that dies, as often, each time with so many more jobs than it held."""
        for _ in range(times):
            for _ in range(claims):
                self.claim(worker, repeated=False)
            self.lose_all(worker)

    def lose_all(self, worker: str) -> None:
        for attempt in self.attempts:
            if attempt.worker == worker and self.holds(attempt):
                lose(self.redis, attempt)
                job = self.job_of(attempt)
                self.end(job, JobStatus.QUEUED if job.attempts - job.forgiven < MAX_ATTEMPTS else JobStatus.FAILED)
        self.store.reap()

    @precondition(lambda self: self.attempts)
    @rule(index=st.integers(0, 1000))
    def overrun(self, index: int) -> None:
        attempt = self.pick(index)
        if self.holds(attempt):
            overrun(self.redis, attempt)
            self.end(self.job_of(attempt), JobStatus.FAILED)
        self.store.reap()

    @precondition(lambda self: self.jobs)
    @rule(index=st.integers(0, 1000))
    def outwait(self, index: int) -> None:
        job_id = list(self.jobs)[index % len(self.jobs)]
        job = self.jobs[job_id]
        if job.status is JobStatus.QUEUED and not job.deleted:
            outwait(self.redis, self.store.get(job_id))
            self.end(job, JobStatus.FAILED)
        self.store.reap()

    @precondition(lambda self: self.jobs)
    @rule(index=st.integers(0, 1000))
    def cancel(self, index: int) -> None:
        job_id = list(self.jobs)[index % len(self.jobs)]
        job = self.jobs[job_id]
        if not job.deleted:
            if not job.status.terminal:
                self.end(job, JobStatus.CANCELED)
            assert self.store.cancel(job_id).status is job.status

    @precondition(lambda self: self.jobs)
    @rule(index=st.integers(0, 1000))
    def requeue_one(self, index: int) -> None:
        """Most often one that has failed, if there is any."""
        dead = [job_id for job_id, job in self.jobs.items() if job.status is JobStatus.FAILED and not job.deleted]
        choice = dead if dead and index % 4 else list(self.jobs)
        job_id = choice[index // 4 % len(choice)]
        job = self.jobs[job_id]
        try:
            self.requeue.requeue(job_id)
        except Gone:
            assert job.deleted
        except Conflict:
            assert job.status is not JobStatus.FAILED
        else:
            assert job_id in dead
            job.forgiven, job.history = job.attempts, []
            self.requeues += 1
            self.end(job, JobStatus.QUEUED)

    @precondition(lambda self: len(self.jobs) > 5)
    @rule(index=st.integers(0, 1000))
    def delete(self, index: int) -> None:
        job_id = list(self.jobs)[index % len(self.jobs)]
        job = self.jobs[job_id]
        if not job.deleted:
            self.store.delete(job_id)
            job.deleted = True

    @rule(worker=st.sampled_from(WORKERS))
    def heartbeat(self, worker: str) -> None:
        mine = [attempt for attempt in self.attempts if attempt.worker == worker]
        held = {attempt.id: attempt.token for attempt in mine}  # the latest attempt of each job
        lost = {attempt.id for attempt in mine if held[attempt.id] == attempt.token and not self.holds(attempt)}
        assert self.store.heartbeat(worker, held) == lost

    @invariant()
    def records_say_what_happened(self) -> None:
        for job_id, job in self.jobs.items():
            try:
                record = self.store.get(job_id)
            except Gone:
                assert job.deleted
                continue
            assert not job.deleted
            assert record.status is job.status
            assert (record.completed_at is not None) == job.status.terminal
            assert (record.result is not None) == (job.status is JobStatus.SUCCEEDED)
            if record.result is not None and job.owner is not None:
                assert record.result == success(job.owner).output
            if job.status.terminal:
                job.history.append(job.status)
            assert len(set(job.history)) <= 1

    @invariant()
    def indexes_agree_with_records(self) -> None:
        there = {job_id: job.status for job_id, job in self.jobs.items() if not job.deleted}
        waiting = {job_id for job_id, status in there.items() if status is JobStatus.QUEUED}
        running = {job_id for job_id, status in there.items() if status is JobStatus.RUNNING}
        assert self.members(f"waiting:{MODEL}") == self.members(f"queued:{MODEL}") == waiting
        assert self.members("due") == waiting | running
        assert {key for worker in WORKERS for key in self.redis.hgetall(f"held:{worker}")} == {  # type: ignore[union-attr]
            job_id.encode() for job_id in running
        }
        kept = Counter(self.clients[job_id] for job_id in there)
        assert {client: int(self.redis.hget(f"kept:{client}", "jobs") or 0) for client in CLIENTS} == {  # type: ignore[arg-type]
            client: kept[client] for client in CLIENTS
        }
        places = Counter(self.clients[job_id] for job_id in waiting) + Counter(anonymous=len(waiting))
        assert dict(self.redis.zrange(f"places:{MODEL}", 0, -1, withscores=True)) == {  # type: ignore[arg-type]
            name.encode(): count for name, count in places.items()
        }
        ended = len(self.jobs) - len(waiting) - len(running) + self.requeues  # deleted ones, too
        assert sum(read_statistics(self.redis, self.store.settings).ended.values()) == ended
        load = self.store.models.loads().get(MODEL)
        assert load is None or (load.waiting, load.running) == (len(waiting), len(running))

    def members(self, key: str) -> set[str]:
        return {member.decode() for member in self.redis.zrange(key, 0, -1)}  # type: ignore[union-attr]

    def teardown(self) -> None:
        """Whatever happened: one worker that lives ends every job, and nothing is left."""
        for worker in WORKERS:
            for attempt in self.attempts:
                if attempt.worker == worker and self.holds(attempt):
                    self.store.release(attempt.id, attempt.token)
        number = 0
        while record := self.store.claim(MODEL, "last", f"last{number}"):
            assert self.store.finish(record.id, record.token, success(record))
            number += 1
        for job_id, job in self.jobs.items():
            if not job.deleted:
                assert self.store.get(job_id).status.terminal
        left = {key.partition(":")[0] for key in keys(self.redis)}
        assert left <= {
            "job",
            "jobs",
            "of",
            "gone",
            "kept",
            "folders",
            "idem",
            "made",
            "ended",
            "sweep_at",
            "erasures",
            "models",
            "model",
            "clients",
            "reaped_at",
            "waking",
        }
        self.redis.close()


def test_the_store_keeps_its_promises_in_any_order_of_events(valkey: ValkeyServer) -> None:
    class Machine(StoreMachine):
        url = valkey.url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
