"""Webhooks of predictions: the start where it is asked for, and a body of their own."""

from collections.abc import Callable
from concurrent.futures import wait

import pytest
from redis import Redis

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.keys import Key
from riffusion.jobs.record import JobRecord, JobStatus, Prediction, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import key_tenant
from riffusion.jobs.webhooks.dispatcher import Dispatcher
from tests.jobs.conftest import by, claim, prompt, success
from tests.jobs.webhooks.conftest import Receiver, deliver, http_response, hurry, present

Accept = Callable[..., JobRecord]


@pytest.fixture
def accept(store: JobStore, key: Key, receiver: Receiver) -> Accept:
    """Accepts a prediction whose webhook reports these events."""

    def accepted(*events: str) -> JobRecord:
        request = prompt(webhook=receiver.url, seed=1)
        submission = Submission(request, by(key_tenant(key.id)), prediction=Prediction("v1", {}, events))
        return store.accept([submission]).records[0]

    return accepted


def end(store: JobStore, record: JobRecord) -> None:
    assert store.finish(record.id, record.token, success(record))


def state(store: JobStore, job: JobRecord) -> WebhookState:
    webhook = store.get(job.id).webhook
    assert webhook is not None
    return webhook.state


def test_start_and_end_are_sent(store: JobStore, dispatcher: Dispatcher, accept: Accept, receiver: Receiver) -> None:
    job = accept("start", "output", "logs", "completed")
    assert job.prediction == Prediction("v1", {}, ("start", "output", "logs", "completed"))
    assert deliver(dispatcher) == 0
    record = claim(store)
    assert deliver(dispatcher) == 1
    assert receiver.body().decode() == present(record)
    assert receiver.headers()["webhook-id"] == f"{job.id}.start"
    assert state(store, job) is WebhookState.WAITING
    end(store, record)
    assert deliver(dispatcher) == 1
    assert receiver.body().decode() == present(store.get(job.id))
    assert receiver.headers()["webhook-id"] == job.id
    assert state(store, job) is WebhookState.DELIVERED
    assert deliver(dispatcher) == 0


@pytest.mark.parametrize(
    ("events", "sent"), [(("start",), 1), (("completed",), 1), (("output",), 1), (("logs",), 0), ((), 0)]
)
def test_events_that_are_not_asked_for_are_not_sent(
    store: JobStore, dispatcher: Dispatcher, accept: Accept, events: tuple[str, ...], sent: int
) -> None:
    job = accept(*events)
    record = claim(store)
    tries = deliver(dispatcher)
    end(store, record)
    assert tries + deliver(dispatcher) == sent
    assert store.get(job.id).status is JobStatus.SUCCEEDED


def test_a_cancellation_has_no_output(store: JobStore, dispatcher: Dispatcher, accept: Accept) -> None:
    store.cancel(accept("output").id)
    assert deliver(dispatcher) == 0


def test_an_end_replaces_a_start_that_was_not_delivered(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, accept: Accept, receiver: Receiver
) -> None:
    receiver.responses = [http_response(500), http_response(200)]
    job = accept("start", "completed")
    record = claim(store)
    assert deliver(dispatcher) == 1
    assert state(store, job) is WebhookState.PENDING
    end(store, record)
    hurry(redis, job)
    assert deliver(dispatcher) == 1
    assert [receiver.headers(index)["webhook-id"] for index in (0, 1)] == [f"{job.id}.start", job.id]
    assert state(store, job) is WebhookState.DELIVERED


def test_an_end_during_the_try_of_a_start_is_sent(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, accept: Accept, receiver: Receiver
) -> None:
    job = accept("start", "completed")
    record = claim(store)

    def end_and_accept(connection: object) -> None:
        end(store, record)
        connection.sendall(http_response(200))  # type: ignore[attr-defined]

    receiver.responses = [end_and_accept, http_response(200)]
    wait(dispatcher.deliver())
    assert state(store, job) is WebhookState.PENDING
    hurry(redis, job)
    assert deliver(dispatcher) == 1
    assert receiver.headers()["webhook-id"] == job.id


def test_a_receiver_that_is_gone_at_the_start_still_receives_the_end(
    store: JobStore, dispatcher: Dispatcher, accept: Accept, receiver: Receiver
) -> None:
    receiver.responses = [http_response(410), http_response(200)]
    job = accept("start", "completed")
    record = claim(store)
    assert deliver(dispatcher) == 1
    end(store, record)
    assert deliver(dispatcher) == 1
    assert state(store, job) is WebhookState.DELIVERED
