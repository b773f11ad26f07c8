"""Batches while everything dies around them: each request ends once, in order, and nothing is left over."""

import json
import time
import uuid
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from riffusion.embedded.child import kill
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from tests.conftest import wait_until
from tests.faults.promise import leftovers, wait_kept
from tests.faults.stack import RETRIED, Stack, hang_up, http

JSONL = "application/jsonl"


@pytest.fixture
def auth(stack: Stack) -> dict[str, str]:
    """The headers of a client with a key."""
    text, _ = KeyStore(stack.redis, stack.store.settings).create("tests", UNLIMITED)
    stack.auth = {"Authorization": f"Bearer {text}"}
    return stack.auth


def lines(count: int, prompt: str) -> bytes:
    request = {"mode": "text-to-audio", "prompt": prompt, "negative_prompt": "noise " * 60}
    return "\n".join(json.dumps({**request, "id": f"row-{n}"}) for n in range(1, count + 1)).encode()


def send(stack: Stack, auth: dict[str, str], body: bytes, key: str = "") -> dict[str, Any]:
    """An accepted batch: sends it with one Idempotency-Key until it is accepted."""
    headers = {**auth, "Content-Type": JSONL, "Idempotency-Key": key or uuid.uuid4().hex}
    deadline = time.monotonic() + 60
    while True:
        try:
            response = http.post(f"{stack.url}/batches", content=body, headers=headers)
            if response.status_code not in RETRIED:
                assert response.status_code == HTTPStatus.ACCEPTED, response.text
                batch: dict[str, Any] = response.json()
                return batch
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def look(stack: Stack, auth: dict[str, str], batch_id: str) -> dict[str, Any]:
    """GET /batches/<id>; its counts, where it responds."""
    try:
        response = http.get(f"{stack.url}/batches/{batch_id}", headers=auth)
    except httpx.TransportError:
        return {}
    return response.json() if response.status_code == HTTPStatus.OK else {}


def wait_completed(stack: Stack, auth: dict[str, str], batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The results, once all requests have ended; the promise holds for each of their jobs."""
    wait_until(
        lambda: look(stack, auth, batch["id"]).get("status") in {"completed", "canceled"}, 90, "the batch never ended"
    )
    text = http.get(f"{stack.url}/batches/{batch['id']}/results", headers=auth).text
    found = [json.loads(line) for line in text.splitlines()]
    assert [each["id"] for each in found] == [f"row-{n}" for n in range(1, batch["total"] + 1)]
    jobs = [each["job_id"] for each in found if each["job_id"]]
    assert len(set(jobs)) == len(jobs)
    everyone = {key.decode().removeprefix("job:") for key in stack.redis.scan_iter("job:*")}
    assert everyone == set(jobs)
    counts = look(stack, auth, batch["id"])["counts"]
    assert {status: sum(each["status"] == status for each in found) for status in counts} == counts
    for each in found:
        assert each["job"] is None or each["job"]["status"] == each["status"]
    return found


def test_a_batch_survives_kills_of_everything(stack: Stack, auth: dict[str, str]) -> None:
    worker = stack.start_worker()
    batch = send(stack, auth, lines(60, "1"))

    def wait_more() -> None:
        before = look(stack, auth, batch["id"])["counts"]["succeeded"]
        wanted = min(before + 4, 60)  # on a busy machine it may end while a process starts
        wait_until(
            lambda: look(stack, auth, batch["id"]).get("counts", {}).get("succeeded", 0) >= wanted, 60, "it stands"
        )

    wait_more()
    stack.valkey.kill()
    stack.start_redis()
    wait_more()
    worker.kill()
    worker = stack.start_worker()
    wait_more()
    assert stack.api is not None
    kill(stack.api)
    stack.start_api()
    wait_more()
    hang_up(stack)
    stack.valkey.pause()
    time.sleep(3)
    stack.valkey.resume()
    found = wait_completed(stack, auth, batch)
    assert {each["status"] for each in found} == {"succeeded"}
    stack.accepted += [each["job_id"] for each in found]
    wait_kept(stack)


def test_redis_and_api_die_while_batches_come_in_and_are_canceled(stack: Stack, auth: dict[str, str]) -> None:
    stack.start_worker()
    key, body = uuid.uuid4().hex, lines(300, "0.1")
    headers = {**auth, "Content-Type": JSONL, "Idempotency-Key": key}
    with pytest.raises(httpx.TransportError):
        http.post(f"{stack.url}/batches", content=killing_the_api(stack, body), headers=headers)
    stack.start_api()
    (draft,) = (name.partition(b":")[2] for name in stack.redis.scan_iter("batch_lines:*"))
    batch = send(stack, auth, body, key)
    assert send(stack, auth, body, key)["id"] == batch["id"]
    assert [each["id"] for each in http.get(f"{stack.url}/batches", headers=auth).json()["batches"]] == [batch["id"]]
    wait_until(lambda: look(stack, auth, batch["id"])["counts"]["succeeded"] > 3, 60)
    canceled = http.post(f"{stack.url}/batches/{batch['id']}/cancel", headers=auth).json()
    stack.valkey.kill()
    stack.start_redis()
    assert canceled["status"] == "canceled"
    found = wait_completed(stack, auth, batch)
    assert look(stack, auth, batch["id"])["counts"] == canceled["counts"]
    stack.accepted += [each["job_id"] for each in found if each["job_id"]]
    stack.redis.zadd("batches", {draft: 1})  # five minutes later
    wait_kept(stack)


def test_a_batch_that_is_deleted_while_it_is_fed_leaves_nothing(stack: Stack, auth: dict[str, str]) -> None:
    worker = stack.start_worker()
    batch = send(stack, auth, lines(200, "0.1"))
    wait_until(lambda: look(stack, auth, batch["id"])["counts"]["succeeded"] > 8, 60)
    assert http.delete(f"{stack.url}/batches/{batch['id']}", headers=auth).status_code == HTTPStatus.NO_CONTENT
    worker.kill()
    stack.valkey.kill()
    stack.start_redis()
    stack.start_worker()
    wait_until(lambda: not list(stack.redis.scan_iter("job:*")), 30, "jobs are left")
    wait_until(lambda: not stack.objects(), 60, "files are left")
    assert not list(stack.redis.scan_iter("batch*"))
    wait_until(lambda: not leftovers(stack.store), 30, "traces are left")
    assert not [key for key in stack.redis.scan_iter("kept:*") if b"key:" in key]


def killing_the_api(stack: Stack, body: bytes) -> Iterator[bytes]:
    """A body during which the API dies, once it has added some of it to the draft."""
    yield body[: len(body) * 2 // 3]
    wait_until(lambda: list(stack.redis.scan_iter("batch_lines:*")), 30, "nothing came in")
    assert stack.api is not None
    kill(stack.api)
    yield body[len(body) * 2 // 3 :]
