"""Claim, heartbeat, progress, finish, release: one owner at a time, one end."""

from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Gone, NotFound
from riffusion.jobs.record import Failure, JobStatus
from riffusion.jobs.store import JobStore
from tests.jobs.conftest import MODEL, at_once, claim, keys, lose, place, run, submit, success


def test_nothing_waits(store: JobStore) -> None:
    assert store.claim(MODEL, "w1", "nonce") is None
    submit(store)
    assert store.claim("other", "w1", "nonce") is None


def test_a_claimed_job_runs_with_a_token_of_its_own(store: JobStore) -> None:
    queued = submit(store)
    record = claim(store)
    assert record == store.get(queued.id)
    assert (record.status, record.token, record.attempts, record.worker) == (JobStatus.RUNNING, 1, 1, "w1")
    assert record.revision > queued.revision


def test_every_job_is_claimed_once(store: JobStore) -> None:
    ids = {submit(store, client=f"c{n % 7}").id for n in range(60)}
    claimed: list[str] = []

    def work(thread: int) -> None:
        while record := store.claim(MODEL, f"w{thread % 4}", f"{thread}-{len(claimed)}"):
            claimed.append(record.id)

    at_once(work, threads=8)
    assert sorted(claimed) == sorted(ids)


def test_a_claim_repeated_with_its_nonce_returns_the_same_job(store: JobStore) -> None:
    submit(store)
    submit(store)
    first = store.claim(MODEL, "w1", "nonce")
    assert first is not None
    assert store.claim(MODEL, "w1", "nonce") == first
    other_worker, other_nonce = store.claim(MODEL, "w2", "nonce"), store.claim(MODEL, "w1", "another")
    assert other_worker is not None
    assert other_worker.id != first.id
    assert other_nonce is None


def test_a_nonce_is_worth_nothing_once_its_job_is_lost(store: JobStore) -> None:
    first, second = submit(store), submit(store)
    assert claim(store, nonce="nonce").id == first.id
    store.cancel(first.id)
    assert claim(store, nonce="nonce").id == second.id


def test_heartbeats_return_what_is_lost(store: JobStore, redis: Redis) -> None:
    for _ in range(4):
        submit(store)
    kept, canceled, deleted, taken = (claim(store) for _ in range(4))
    store.cancel(canceled.id)
    store.delete(deleted.id)
    lose(redis, taken)
    store.reap()
    assert claim(store, "w2").id == taken.id
    held = {record.id: record.token for record in (kept, canceled, deleted, taken)}
    assert store.heartbeat("w1", held) == {canceled.id, deleted.id, taken.id}
    assert store.heartbeat("w1", {}) == set()


def test_heartbeats_extend_leases(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    lose(redis, record)
    assert store.heartbeat("w1", {record.id: record.token}) == set()
    store.reap()
    assert store.get(record.id).status is JobStatus.RUNNING


def test_progress_is_stored(store: JobStore) -> None:
    submit(store)
    record = claim(store)
    assert store.progress(record.id, record.token, 3, 20)
    now = store.get(record.id)
    assert (now.step, now.total) == (3, 20)
    assert now.revision == record.revision + 1


def test_only_the_latest_preview_is_kept(store: JobStore, redis: Redis) -> None:
    submit(store)
    record = claim(store)
    assert store.get(record.id).preview == 0
    with pytest.raises(NotFound, match="no preview"):
        store.preview(record.id)
    for number, picture in enumerate([b"\xff\x00 1", b"\xff\x00 2"], 1):
        assert store.progress(record.id, record.token, number, 20, picture)
        assert (store.get(record.id).preview, store.preview(record.id)) == (number, picture)
    assert store.progress(record.id, record.token, 3, 20)
    assert (store.get(record.id).preview, store.preview(record.id)) == (2, b"\xff\x00 2")
    assert 0 < redis.ttl(f"preview:{record.id}") <= store.settings.stalled_deadline_s + 1  # type: ignore[operator]


@pytest.mark.parametrize("how", ["finished", "canceled", "deleted", "released", "lost"])
def test_a_preview_goes_with_the_attempt_that_shows_it(store: JobStore, redis: Redis, how: str) -> None:
    submit(store)
    record = claim(store)
    store.progress(record.id, record.token, 1, 20, b"picture")
    if how == "lost":
        lose(redis, record)
        store.reap()
    else:
        end: dict[str, Callable[[], object]] = {
            "finished": lambda: store.finish(record.id, record.token, success(record)),
            "canceled": lambda: store.cancel(record.id),
            "deleted": lambda: store.delete(record.id),
            "released": lambda: store.release(record.id, record.token),
        }
        end[how]()
    assert not keys(redis, "preview:*")
    with pytest.raises(Gone if how == "deleted" else NotFound):
        store.preview(record.id)
    assert not store.progress(record.id, record.token, 2, 20, b"late")
    assert not keys(redis, "preview:*")
    if how in ("released", "lost"):
        assert claim(store).preview == 0


def test_a_preview_is_for_those_who_may_see_the_job(store: JobStore) -> None:
    submit(store, client="key:alice")
    record = claim(store)
    store.progress(record.id, record.token, 1, 20, b"picture")
    assert store.preview(record.id, "key:alice") == b"picture"
    with pytest.raises(NotFound):
        store.preview(record.id, "key:bob")


def test_who_lost_a_job_changes_nothing(store: JobStore, redis: Redis) -> None:
    submit(store)
    loser = claim(store, "w1")
    lose(redis, loser)
    store.reap()

    def attempts() -> list[bool]:
        return [
            store.progress(loser.id, loser.token, 20, 20),
            store.finish(loser.id, loser.token, success(loser)),
            store.release(loser.id, loser.token),
        ]

    waiting = store.get(loser.id)
    assert attempts() == [False] * 3
    assert store.get(loser.id) == waiting
    winner = claim(store, "w2")
    assert winner.token > loser.token
    assert attempts() == [False] * 3
    assert store.get(loser.id) == winner
    assert store.finish(winner.id, winner.token, success(winner))
    done = store.get(winner.id)
    assert attempts() == [False] * 3
    assert store.get(winner.id) == done
    assert done.result is not None
    assert done.result.audio.key.startswith(winner.folder)
    assert winner.folder != loser.folder


def test_a_nonce_that_leases_a_second_job_leads_to_another_folder(store: JobStore, redis: Redis) -> None:
    """The reply of a claim gets lost for longer than the lease: the same claim is sent again."""
    submit(store)
    unheard = claim(store, "w1", "nonce")
    assert claim(store, "w1", "nonce") == unheard
    lose(redis, unheard)
    store.reap()
    again = claim(store, "w2")
    submit(store)
    other = claim(store, "w1", "nonce")
    assert (again.id, other.id != unheard.id) == (unheard.id, True)
    assert len({unheard.folder, again.folder, other.folder}) == 3


def test_finish_may_be_sent_again_and_counts_once(store: JobStore) -> None:
    submit(store)
    record = claim(store)
    assert store.finish(record.id, record.token, success(record))
    done = store.get(record.id)
    assert store.finish(record.id, record.token, success(record))
    assert store.finish(record.id, record.token, Failure("internal", "no"))
    assert store.get(record.id) == done
    assert not store.progress(record.id, record.token, 1, 20)


def test_a_job_ends_only_once(store: JobStore) -> None:
    for _ in range(10):
        submit(store)
        record = claim(store)
        endings = at_once(
            lambda n, job=record: (  # type: ignore[misc]
                store.finish(job.id, job.token, success(job)) if n % 2 else store.cancel(job.id).status
            ),
            threads=4,
        )
        status = store.get(record.id).status
        finished = status is JobStatus.SUCCEEDED
        assert set(endings) == {finished, status}


def test_a_released_job_waits_at_the_head_without_an_attempt(store: JobStore) -> None:
    first, _ = submit(store), submit(store)
    record = claim(store)
    assert store.release(record.id, record.token)
    waiting = store.get(first.id)
    assert (waiting.status, waiting.attempts, waiting.worker) == (JobStatus.QUEUED, 0, None)
    assert place(store, waiting) is not None
    again = claim(store)
    assert (again.id, again.attempts) == (first.id, 1)
    assert not store.release(record.id, record.token)


@pytest.mark.parametrize("end", ["finish", "cancel", "delete", "lose"])
def test_nothing_is_left_of_an_ended_job_but_its_record(store: JobStore, redis: Redis, end: str) -> None:
    submit(store)
    record = claim(store)
    match end:
        case "finish":
            store.finish(record.id, record.token, success(record))
        case "cancel":
            store.cancel(record.id)
        case "delete":
            store.delete(record.id)
        case "lose":
            lose(redis, record)
            store.reap()
            run(store, "w2")
    kept = {f"job:{record.id}", f"gone:{record.id}", f"folders:{record.id}", "of:alice", "kept:alice", "kept:all"}
    kept |= {"erasures", "sweep_at", "models", "model:tiny", "clients:tiny"} | ({"jobs"} if end != "delete" else set())
    assert keys(redis) - kept - keys(redis, "made:*") <= {"reaped_at", "waking:tiny"}
    assert store.models.loads()[MODEL].running == 0
