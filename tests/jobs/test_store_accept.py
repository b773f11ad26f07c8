"""Accepting: all or none, idempotent, capped."""

import re
import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Gone, IdempotencyConflict, QueueFull, UnknownReference
from riffusion.jobs.acceptance import Idempotency, Submission
from riffusion.jobs.record import JobStatus
from riffusion.jobs.store import JobStore
from riffusion.requests import parse
from tests.jobs.conftest import MODEL, accept, at_once, by, claim, keys, prompt, run, submit


def test_ids_cannot_be_guessed_and_sort_by_age(store: JobStore) -> None:
    ids = [submit(store).id for _ in range(20)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"[0-9a-f]{14}[0-9a-f]{32}", job_id) for job_id in ids)
    assert len({job_id[14:] for job_id in ids}) == 20


def test_an_array_is_taken_in_as_a_whole_and_in_order(store: JobStore) -> None:
    records = store.accept([Submission(prompt(f"{n}"), by("alice")) for n in range(16)]).records
    assert [record.request["prompt"] for record in records] == [f"{n}" for n in range(16)]
    assert [claim(store).id for _ in range(16)] == [record.id for record in records]


def test_an_array_over_the_cap_leaves_nothing_behind(configured: Callable[..., JobStore], redis: Redis) -> None:
    store = configured(max_queued=10)
    store.accept([Submission(prompt(), by("key:alice", weight=100))] * 8)
    before = keys(redis)
    with pytest.raises(QueueFull):
        accept(store, [Submission(prompt(), by("key:bob", weight=100))] * 3, "key")
    assert keys(redis) == before
    accept(store, [Submission(prompt(), by("key:bob", weight=100))] * 2, "key")


def test_the_cap_counts_waiting_jobs_only(configured: Callable[..., JobStore]) -> None:
    store = configured(max_queued=1)
    for _ in range(3):
        submit(store)
        claim(store)
    submit(store)
    with pytest.raises(QueueFull):
        submit(store)


def test_an_array_with_one_bad_reference_leaves_nothing_behind(store: JobStore, redis: Redis) -> None:
    bad = parse({"mode": "riff", "prompt": "x", "init": {"job": "0" * 44}})
    with pytest.raises(UnknownReference) as caught:
        accept(store, [Submission(prompt(), by("alice")), Submission(bad, by("alice"))], "key")
    assert caught.value.field == "init.job"
    assert keys(redis) == set()


def test_a_model_that_no_worker_ever_announced_is_unknown(store: JobStore) -> None:
    with pytest.raises(UnknownReference) as caught:
        submit(store, model="huge")
    assert caught.value.field == "model"
    store.models.register("w1", "huge", 1)
    store.models.unregister("w1")
    assert submit(store, model="huge").model == "huge"


class TestIdempotency:
    def test_the_same_key_and_body_are_the_same_job(self, store: JobStore) -> None:
        first = accept(store, [Submission(prompt(), by("alice"))], "key")
        again = accept(store, [Submission(prompt(), by("alice"))], "key")
        assert (first.replayed, again.replayed) == (False, True)
        assert again.records == first.records
        assert again.wakeups == {}

    def test_the_job_is_returned_as_it_is_now(self, store: JobStore) -> None:
        accept(store, [Submission(prompt(), by("alice"))], "key")
        done = run(store)
        assert accept(store, [Submission(prompt(), by("alice"))], "key").records == (done,)

    def test_another_body_is_refused(self, store: JobStore) -> None:
        accept(store, [Submission(prompt("one"), by("alice"))], "key")
        with pytest.raises(IdempotencyConflict):
            accept(store, [Submission(prompt("two"), by("alice"))], "key")
        with pytest.raises(IdempotencyConflict):
            accept(store, [Submission(prompt("one"), by("alice"))] * 2, "key")
        with pytest.raises(IdempotencyConflict):
            accept(store, [Submission(prompt("one", steps=20), by("alice"))], "key")  # a default that may yet change

    def test_clients_do_not_share_keys(self, store: JobStore) -> None:
        one = accept(store, [Submission(prompt("one"), by("a"))], "bc")
        two = accept(store, [Submission(prompt("two"), by("ab"))], "c")
        assert one.records[0].id != two.records[0].id

    def test_many_at_once_make_one_job(self, store: JobStore) -> None:
        replies = at_once(lambda _: accept(store, [Submission(prompt(), by("alice"))] * 2, "key"))
        assert len({tuple(record.id for record in reply.records) for reply in replies}) == 1
        assert sum(not reply.replayed for reply in replies) == 1
        assert len(store.list(by("alice")).records) == 2

    def test_a_full_queue_still_replays_what_it_has_accepted(self, configured: Callable[..., JobStore]) -> None:
        store = configured(max_queued=1)
        accept(store, [Submission(prompt(), by("alice"))], "key")
        assert accept(store, [Submission(prompt(), by("alice"))], "key").replayed

    def test_a_replay_survives_the_end_of_what_it_refers_to(self, store: JobStore) -> None:
        submit(store)
        earlier = run(store)
        riff = Submission(parse({"mode": "riff", "prompt": "x", "init": {"job": earlier.id}}), by("alice"))
        key = Idempotency.of("key", "body", [riff])
        assert store.replay(by("alice"), key) is None
        first = store.accept([riff], key)
        store.delete(earlier.id)
        again = store.replay(by("alice"), key)
        assert again is not None
        assert (again.replayed, again.records) == (True, first.records)
        with pytest.raises(IdempotencyConflict):
            store.replay(by("alice"), Idempotency.of("key", "another", []))

    def test_a_deleted_job_is_not_made_again(self, store: JobStore) -> None:
        job = accept(store, [Submission(prompt(), by("alice"))], "key").records[0]
        store.delete(job.id)
        with pytest.raises(Gone):
            accept(store, [Submission(prompt(), by("alice"))], "key")

    def test_a_key_is_kept_for_a_day(self, store: JobStore, redis: Redis) -> None:
        accept(store, [Submission(prompt(), by("alice"))], "key")
        (key,) = keys(redis, "idem:*")
        assert redis.expiretime(key) == pytest.approx(time.time() + 86_400, abs=60)


class TestWakeUps:
    def test_only_what_the_broker_lacks_is_asked_for(self, store: JobStore, redis: Redis) -> None:
        store.models.register("w1", MODEL, 3)
        store.reap()
        assert store.accept([Submission(prompt(), by("alice"))] * 2).wakeups == {MODEL: 2}
        redis.rpush(f"riffusion.{MODEL}", "message", "message")
        assert store.accept([Submission(prompt(), by("alice"))] * 2).wakeups == {MODEL: 1}  # three slots
        redis.rpush(f"riffusion.{MODEL}", "message")
        assert store.accept([Submission(prompt(), by("alice"))] * 2).wakeups == {}

    def test_without_a_worker_one_message_waits_for_the_first(self, store: JobStore) -> None:
        assert store.accept([Submission(prompt(), by("alice"))] * 5).wakeups == {MODEL: 1}


class TestInputs:
    def test_a_finished_job_gives_its_picture_or_its_sound(self, store: JobStore) -> None:
        submit(store)
        earlier = run(store)
        assert earlier.result is not None
        riff = parse({"mode": "riff", "prompt": "x", "init": {"job": earlier.id}})
        cover = parse({"mode": "audio-to-audio", "prompt": "x", "clip": {"job": earlier.id}, "denoising": 0.5})
        records = store.accept([Submission(riff, by("alice")), Submission(cover, by("alice"))]).records
        assert records[0].inputs == {"init": earlier.result.image.key}
        assert records[1].inputs == {"clip": earlier.result.audio.key}

    @pytest.mark.parametrize("status", [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.CANCELED])
    def test_a_job_without_a_result_is_no_input(self, store: JobStore, status: JobStatus) -> None:
        earlier = submit(store)
        if status is JobStatus.RUNNING:
            claim(store)
        elif status is JobStatus.CANCELED:
            store.cancel(earlier.id)
        with pytest.raises(UnknownReference, match=f"it is {status}"):
            store.accept([Submission(parse({"mode": "riff", "prompt": "x", "init": {"job": earlier.id}}), by("alice"))])
