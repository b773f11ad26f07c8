"""Webhooks from the end of a job to its receiver, whatever dies on the way."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.key_data import KeyData
from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.purge import Purge
from riffusion.jobs.record import JobRecord, Webhook, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, key_tenant
from riffusion.jobs.webhooks.dispatcher import PAUSES_S, Dispatcher
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.conftest import wait_until
from tests.jobs.conftest import by, claim, keys, outwait, prompt, success
from tests.jobs.webhooks.conftest import Receiver, deliver, http_response, hurry, present

LANE = ("slow", "key host")


@pytest.fixture
def job(store: JobStore, key: Key, receiver: Receiver) -> JobRecord:
    """A job that waits, with a webhook."""
    return store.accept([Submission(prompt(webhook=receiver.url, seed=1), by(key_tenant(key.id)))]).records[0]


def end(store: JobStore) -> None:
    record = claim(store)
    assert store.finish(record.id, record.token, success(record))


def webhook(store: JobStore, job: JobRecord) -> Webhook:
    found = store.get(job.id).webhook
    assert found is not None
    return found


def test_a_job_that_runs_on_sends_nothing(store: JobStore, dispatcher: Dispatcher, job: JobRecord) -> None:
    claim(store)
    assert deliver(dispatcher) == 0
    assert webhook(store, job).state is WebhookState.WAITING


def test_a_success_is_sent_once_and_signed(
    store: JobStore, dispatcher: Dispatcher, job: JobRecord, key: Key, receiver: Receiver
) -> None:
    end(store)
    assert webhook(store, job).state is WebhookState.PENDING
    assert deliver(dispatcher) == 1
    assert deliver(dispatcher) == 0
    body, headers = receiver.body(), receiver.headers()
    sent = json.loads(body)
    assert (sent["type"], sent["data"]) == ("job.succeeded", {"id": job.id, "status": "succeeded"})
    assert sent["timestamp"].startswith("20")
    assert headers["webhook-id"] == job.id
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    signed = f"{job.id}.{headers['webhook-timestamp']}.".encode() + body
    secret = base64.b64decode(key.webhook_secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert webhook(store, job) == Webhook(receiver.url, WebhookState.DELIVERED, 1, None, None)


def test_every_end_is_sent(store: JobStore, redis: Redis, dispatcher: Dispatcher, key: Key, receiver: Receiver) -> None:
    def submit() -> JobRecord:
        return store.accept([Submission(prompt(webhook=receiver.url, seed=1), by(key_tenant(key.id)))]).records[0]

    store.cancel(submit().id)
    outwait(redis, submit())
    store.reap()
    submit()
    end(store)
    copy = submit()  # a copy of the one before
    assert copy.status.terminal
    assert deliver(dispatcher) == 4
    sent = sorted(json.loads(receiver.body(index))["type"] for index in range(4))
    assert sent == ["job.canceled", "job.failed", "job.succeeded", "job.succeeded"]


def test_a_try_that_fails_is_tried_again_under_the_same_id(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    receiver.responses = [http_response(500), http_response(302, f"Location: {receiver.url}"), http_response(204)]
    end(store)
    deliver(dispatcher)
    first = webhook(store, job)
    assert (first.state, first.attempts, first.error) == (WebhookState.PENDING, 1, "The answer was 500.")
    assert first.next_at is not None
    assert PAUSES_S[0] - 2 < first.next_at - time.time() < PAUSES_S[0] * 1.1 + 1
    assert deliver(dispatcher) == 0  # not before it is due
    hurry(redis, job)
    deliver(dispatcher)
    assert webhook(store, job).error == "The answer was 302."
    hurry(redis, job)
    deliver(dispatcher)
    assert webhook(store, job).state is WebhookState.DELIVERED
    assert {receiver.headers(index)["webhook-id"] for index in range(3)} == {job.id}


def test_it_is_given_up_after_two_hours(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    assert sum(PAUSES_S) >= 2 * 3600
    receiver.responses = [http_response(503)]
    end(store)
    for pause in (0, *PAUSES_S):
        waiting = webhook(store, job)
        assert waiting.state is WebhookState.PENDING
        assert waiting.next_at is not None
        assert pause - 2 < waiting.next_at - time.time() < pause * 1.1 + 1
        hurry(redis, job)
        assert deliver(dispatcher) == 1
    assert webhook(store, job).state is WebhookState.FAILED
    assert webhook(store, job).next_at is None
    assert redis.zcard("webhooks") == 0


def test_a_receiver_that_has_gone_is_not_asked_again(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    receiver.responses = [http_response(410)]
    end(store)
    deliver(dispatcher)
    assert webhook(store, job).state is WebhookState.FAILED
    assert redis.zcard("webhooks") == 0


def test_a_revoked_keys_webhooks_are_not_sent(
    *, store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, key: Key, receiver: Receiver
) -> None:
    end(store)
    KeyStore(redis, store.settings).revoke(key.id)
    deliver(dispatcher)
    assert (webhook(store, job).state, receiver.connections) == (WebhookState.FAILED, 0)


def test_a_deleted_job_sends_nothing(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    end(store)
    store.delete(job.id)
    assert redis.zcard("webhooks") == 0
    assert deliver(dispatcher) == receiver.connections == 0


def test_private_addresses_are_refused_by_default(
    redis: Redis, settings: Settings, job: JobRecord, receiver: Receiver
) -> None:
    store = JobStore(redis, settings.model_copy(update={"webhooks_anywhere": False}))
    end(store)
    dispatcher = Dispatcher(store, present)
    deliver(dispatcher)
    dispatcher.stop()
    assert receiver.connections == 0
    assert webhook(store, job).error == "Its host name leads to an address that isn't public."


def test_what_a_dispatcher_died_with_another_delivers(
    store: JobStore, redis: Redis, dispatchers: Callable[[], Dispatcher], job: JobRecord, receiver: Receiver
) -> None:
    end(store)
    dead, other = dispatchers(), dispatchers()
    assert len(dead._database.run("webhook_take", 8, 8)) == 1  # takes it, and is never heard of again
    assert deliver(other) == 0
    held = redis.zscore("webhooks", job.id)
    assert held == pytest.approx(time.time() + 60, abs=5)
    hurry(redis, job)
    assert deliver(other) == 1
    assert (webhook(store, job).state, webhook(store, job).attempts) == (WebhookState.DELIVERED, 2)


def test_a_late_word_of_an_earlier_try_changes_nothing(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    end(store)
    assert len(dispatcher._database.run("webhook_take", 8, 8)) == 1
    hurry(redis, job)
    deliver(dispatcher)
    assert not dispatcher._database.run("webhook_report", *LANE, job.id, 1, "failed", "late", 0, 0)
    assert webhook(store, job).state is WebhookState.DELIVERED
    assert redis.zcard("webhooks") == 0


def test_word_of_a_job_that_was_deleted_meanwhile_does_not_bring_it_back(
    store: JobStore, redis: Redis, dispatcher: Dispatcher, job: JobRecord
) -> None:
    end(store)
    dispatcher._database.run("webhook_take", 8, 8)
    store.delete(job.id)
    for state in ("delivered", "pending"):
        assert not dispatcher._database.run("webhook_report", *LANE, job.id, 1, state, "", 5, 0)
    assert keys(redis, "job:*") == set()
    assert redis.zcard("webhooks") == 0


def test_many_dispatchers_deliver_once(
    store: JobStore, dispatchers: Callable[[], Dispatcher], job: JobRecord, receiver: Receiver
) -> None:
    end(store)
    everyone = [dispatchers() for _ in range(6)]
    threads = [threading.Thread(target=deliver, args=(dispatcher,)) for dispatcher in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert receiver.connections == 1


def test_the_thread_delivers_by_itself(
    store: JobStore, dispatcher: Dispatcher, job: JobRecord, receiver: Receiver
) -> None:
    dispatcher.start()
    end(store)
    wait_until(lambda: webhook(store, job).state is WebhookState.DELIVERED)


def test_an_address_is_no_part_of_what_was_asked_for(store: JobStore, redis: Redis, job: JobRecord) -> None:
    assert "webhook" not in store.get(job.id).request
    assert "webhooks" not in keys(redis)


def test_purging_a_key_leaves_the_webhooks_of_jobs_that_it_left_to_another(
    *, store: JobStore, dispatcher: Dispatcher, job: JobRecord, key: Key, receiver: Receiver, redis: Redis,
    settings: Settings,
) -> None:  # fmt: skip
    """One whose host doesn't respond waits in a queue of the key's."""
    receiver.responses = [lambda connection: connection.close()]
    host = "127.0.0.1"
    redis.hset(f"webhooks:host:{key.id} {host}", mapping={"failures": 3, "retry_at": time.time() + 60})
    end(store)
    assert deliver(dispatcher) == 0
    assert redis.exists(f"webhooks:due:{key.id} {host}")
    KeyData(redis, settings).leave(key.id, KeyStore(redis, settings).create("heir", UNLIMITED)[1])
    Purge(redis, open_storage(settings), settings).run(f"key:{key.id}")
    receiver.responses = [http_response(200)]
    assert deliver(dispatcher) == 1
    assert webhook(store, job).state is WebhookState.DELIVERED
