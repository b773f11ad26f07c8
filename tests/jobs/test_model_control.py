"""Pausing, draining and retiring models, while clients submit and workers claim."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from redis import Redis

from riffusion.errors import Conflict, ModelDraining, NotFound, UnknownReference
from riffusion.jobs.acceptance import Place, Submission
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.jobs.record import Failure, JobStatus
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.jobs.conftest import MODEL, accept, by, claim, keys, lose, outwait, place, prompt, run, submit, success

OLD = "old"  # a model beside the default one


@pytest.fixture
def control(redis: Redis, settings: Settings) -> ModelControl:
    return ModelControl(redis, settings)


@pytest.fixture
def old(store: JobStore) -> str:
    """A model that had a worker."""
    store.models.register("gone", OLD, 1)
    store.models.unregister("gone")
    return OLD


def test_a_paused_model_accepts_jobs_and_starts_none(store: JobStore, control: ModelControl) -> None:
    submit(store)
    running = claim(store)
    control.set_state(MODEL, ModelState.PAUSED)
    waiting = submit(store)
    assert place(store, waiting) == Place(0, None, paused=True)
    assert store.claim(MODEL, "w", "nonce") is None
    assert store.models.loads()[MODEL].state is ModelState.PAUSED
    assert store.finish(running.id, running.token, success(running))
    control.set_state(MODEL, ModelState.ACTIVE)
    assert place(store, waiting) == Place(0, None)
    assert run(store).id == waiting.id


def test_a_claim_whose_reply_was_lost_is_repeated_during_a_pause(store: JobStore, control: ModelControl) -> None:
    submit(store)
    record = claim(store, nonce="lost")
    control.set_state(MODEL, ModelState.PAUSED)
    assert store.claim(MODEL, "w1", "lost") == record


def test_a_pause_wakes_no_worker_and_its_end_does(store: JobStore, redis: Redis, control: ModelControl) -> None:
    control.set_state(MODEL, ModelState.PAUSED)
    assert store.accept([Submission(prompt(), by("alice"))]).wakeups == {}
    assert store.reap() == {}
    control.set_state(MODEL, ModelState.ACTIVE)
    assert store.reap() == {MODEL: 1}


def test_what_was_lost_during_a_pause_waits(store: JobStore, redis: Redis, control: ModelControl) -> None:
    submit(store)
    record = claim(store)
    control.set_state(MODEL, ModelState.PAUSED)
    lose(redis, record)
    store.reap()
    assert store.get(record.id).status is JobStatus.QUEUED
    assert store.claim(MODEL, "w", "nonce") is None


def test_deadlines_run_on_during_a_pause_and_a_requeue_begins_them_again(
    store: JobStore, redis: Redis, settings: Settings, control: ModelControl
) -> None:
    record = submit(store)
    control.set_state(MODEL, ModelState.PAUSED)
    outwait(redis, record)
    store.reap()
    assert store.get(record.id).status is JobStatus.FAILED
    Requeue(redis, settings).requeue(record.id)
    control.set_state(MODEL, ModelState.ACTIVE)
    assert run(store).id == record.id


def test_nothing_starts_after_a_pause_returned(store: JobStore, control: ModelControl) -> None:
    for _ in range(300):
        submit(store)
    paused = threading.Event()
    late: list[bool] = []

    def work(worker: str) -> None:
        for number in range(1000):
            before = paused.is_set()
            record = store.claim(MODEL, worker, f"{worker} {number}")
            if record is None:
                return
            late.append(before)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    while len(late) < 20:
        pass
    control.set_state(MODEL, ModelState.PAUSED)
    paused.set()
    for thread in threads:
        thread.join()
    load = store.models.loads()[MODEL]
    assert not any(late)
    assert load.running == len(late)
    assert load.waiting == 300 - len(late)


def test_a_draining_model_refuses_new_jobs_and_runs_those_that_wait(store: JobStore, control: ModelControl) -> None:
    submission = Submission(prompt(), by("alice"))
    accept(store, [submission], "key")
    control.set_state(MODEL, ModelState.DRAINING)
    with pytest.raises(ModelDraining, match="tiny"):
        submit(store)
    assert accept(store, [submission], "key").replayed
    assert run(store).status is JobStatus.SUCCEEDED
    control.set_state(MODEL, ModelState.ACTIVE)
    submit(store)


def test_a_draining_model_still_copies_what_it_made(store: JobStore, control: ModelControl) -> None:
    submit(store, seed=1)
    run(store)
    control.set_state(MODEL, ModelState.DRAINING)
    assert submit(store, seed=1).status is JobStatus.SUCCEEDED
    with pytest.raises(ModelDraining):
        submit(store, seed=2)


def test_a_batch_for_a_draining_model_is_refused_as_a_whole(store: JobStore, control: ModelControl, old: str) -> None:
    control.set_state(old, ModelState.DRAINING)
    with pytest.raises(ModelDraining, match=old):
        store.accept([Submission(prompt(), by("alice")), Submission(prompt(model=old), by("alice"))])
    assert store.models.loads().get(MODEL) is None


def test_the_state_outlives_workers(store: JobStore, control: ModelControl) -> None:
    control.set_state(MODEL, ModelState.PAUSED)
    store.models.register("w", MODEL, 4)
    store.reap()
    store.models.unregister("w")
    store.reap()
    assert store.models.loads()[MODEL].state is ModelState.PAUSED


def test_a_failed_job_of_a_draining_model_is_not_requeued(
    store: JobStore, redis: Redis, settings: Settings, control: ModelControl
) -> None:
    submit(store)
    record = claim(store)
    store.finish(record.id, record.token, Failure("out_of_memory", "No."))
    control.set_state(MODEL, ModelState.DRAINING)
    with pytest.raises(Conflict, match="draining"):
        Requeue(redis, settings).requeue(record.id)


def test_a_retired_model_leaves_nothing_waiting(
    store: JobStore, redis: Redis, settings: Settings, control: ModelControl, old: str
) -> None:
    jobs = [submit(store, f"key:{number}", model=old) for number in range(250)]
    other = submit(store)
    assert control.retire(old) == 250
    for job in jobs:
        error = store.get(job.id).error
        assert error is not None
        assert error.code == "model_retired"
    assert store.get(other.id).status is JobStatus.QUEUED
    assert not [key for key in keys(redis) if key.endswith(f":{old}")]
    assert set(store.models.loads()) == {MODEL}
    with pytest.raises(UnknownReference):
        submit(store, model=old)
    with pytest.raises(Conflict, match="retired"):
        Requeue(redis, settings).requeue(jobs[0].id)
    store.models.register("back", old, 1)
    Requeue(redis, settings).requeue(jobs[0].id)


def test_a_model_that_is_served_is_not_retired(store: JobStore, redis: Redis, control: ModelControl, old: str) -> None:
    store.models.register("w", old, 1)
    submit(store, model=old)
    with pytest.raises(Conflict, match="1 workers"):
        control.retire(old)
    record = store.claim(old, "w", "nonce")
    store.models.unregister("w")
    with pytest.raises(Conflict, match="still run"):
        control.retire(old)
    assert record is not None
    lose(redis, record)
    store.reap()
    assert control.retire(old) == 1
    with pytest.raises(Conflict, match="default"):
        control.retire(MODEL)


def test_a_check_of_a_retirement_refuses_as_it_would_and_changes_nothing(
    store: JobStore, redis: Redis, control: ModelControl, old: str
) -> None:
    for refused in (MODEL, "none"):
        with pytest.raises((Conflict, NotFound)):
            control.check_retirement(refused)
    waiting = submit(store, model=old)
    before = {key: redis.dump(key) for key in keys(redis)}
    control.check_retirement(old)
    assert {key: redis.dump(key) for key in keys(redis)} == before
    assert store.get(waiting.id) == waiting


def test_a_state_is_that_which_was_set(control: ModelControl, old: str) -> None:
    assert (control.state(MODEL), control.state(old)) == (ModelState.ACTIVE, ModelState.ACTIVE)
    control.set_state(old, ModelState.DRAINING)
    assert control.state(old) is ModelState.DRAINING
    with pytest.raises(NotFound):
        control.state("none")


def test_jobs_submitted_while_a_model_is_retired_end_all_the_same(
    store: JobStore, redis: Redis, control: ModelControl, old: str
) -> None:
    accepted: list[str] = []

    def send() -> None:
        try:
            for number in range(400):
                accepted.append(submit(store, f"key:{number}", model=old).id)
        except (ModelDraining, UnknownReference):
            return

    thread = threading.Thread(target=send)
    thread.start()
    while len(accepted) < 20:
        pass
    control.retire(old)
    thread.join()
    assert {store.get(job_id).status for job_id in accepted} == {JobStatus.FAILED}
    assert len(accepted) < 400
    assert redis.exists("due") == 0


def test_a_model_takes_no_jobs_while_it_is_retired(
    store: JobStore, control: ModelControl, old: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(150):
        submit(store, f"key:{number}", model=old)
    run_script, refused = control._database.run, []

    def run_and_submit(*args: Any, **options: Any) -> Any:
        reply = run_script(*args, **options)
        if reply[0] == b"failed":
            with pytest.raises(ModelDraining):
                submit(store, model=old)
            refused.append(reply[1])
        return reply

    monkeypatch.setattr(control._database, "run", run_and_submit)
    assert control.retire(old) == 150
    assert refused == [100, 50]


def test_unknown_models_are_not_found(control: ModelControl, redis: Redis) -> None:
    for call in (lambda: control.set_state("none", ModelState.PAUSED), lambda: control.retire("none")):
        with pytest.raises(NotFound):
            call()
    assert keys(redis) == set()


def test_the_default_model_may_be_paused_before_it_had_a_job(
    configured: Callable[..., JobStore], control: ModelControl
) -> None:
    store = configured()
    control.set_state(MODEL, ModelState.PAUSED)
    submit(store)
    assert store.claim(MODEL, "w", "nonce") is None
