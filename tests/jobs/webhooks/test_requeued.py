"""Webhooks of jobs that failed and were requeued: each end is reported, under an id of its own."""

import json
import socket

import pytest

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.keys import Key
from riffusion.jobs.record import Failure, JobRecord, WebhookState
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import key_tenant
from riffusion.jobs.webhooks.dispatcher import Dispatcher
from tests.jobs.conftest import by, claim, prompt, run
from tests.jobs.webhooks.conftest import Receiver, deliver, http_response


@pytest.fixture
def failed(store: JobStore, key: Key, receiver: Receiver) -> JobRecord:
    """A job that has failed, with a webhook that is due."""
    submission = Submission(prompt(webhook=receiver.url, seed=1), by(key_tenant(key.id)))
    store.accept([submission])
    record = claim(store)
    store.finish(record.id, record.token, Failure("out_of_memory", "It doesn't fit."))
    return store.get(record.id)


def state(store: JobStore, record: JobRecord) -> WebhookState:
    webhook = store.get(record.id).webhook
    assert webhook is not None
    return webhook.state


def requeue(store: JobStore, record: JobRecord) -> None:
    Requeue(store.redis, store.settings).requeue(record.id)


def test_the_second_end_is_sent_too(
    store: JobStore, dispatcher: Dispatcher, failed: JobRecord, receiver: Receiver
) -> None:
    assert deliver(dispatcher) == 1
    requeue(store, failed)
    assert state(store, failed) is WebhookState.WAITING
    assert deliver(dispatcher) == 0
    run(store)
    assert deliver(dispatcher) == 1
    assert [json.loads(receiver.body(index))["type"] for index in (0, 1)] == ["job.failed", "job.succeeded"]
    assert [receiver.headers(index)["webhook-id"] for index in (0, 1)] == [failed.id, f"{failed.id}.1"]
    assert state(store, failed) is WebhookState.DELIVERED


def test_an_end_that_was_not_sent_yet_is_not_sent_any_more(
    store: JobStore, dispatcher: Dispatcher, failed: JobRecord, receiver: Receiver
) -> None:
    requeue(store, failed)
    assert deliver(dispatcher) == 0
    assert receiver.seen == []
    run(store)
    assert deliver(dispatcher) == 1


@pytest.mark.parametrize("status", [200, 410, 500])
def test_a_late_report_of_the_first_end_is_not_that_of_the_second(
    store: JobStore, dispatcher: Dispatcher, failed: JobRecord, receiver: Receiver, status: int
) -> None:
    def requeue_and_respond(connection: socket.socket) -> None:
        requeue(store, failed)
        run(store)
        connection.sendall(http_response(status))

    receiver.responses = [requeue_and_respond, http_response(200)]
    assert deliver(dispatcher) == 2
    assert json.loads(receiver.body())["type"] == "job.succeeded"
    assert state(store, failed) is WebhookState.DELIVERED
