"""Webhooks of the real server."""

import json
from pathlib import Path

import httpx

from riffusion.jobs.clients import UNLIMITED
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from tests.api.conftest import PROMPT, serve
from tests.conftest import ValkeyServer, wait_until
from tests.jobs.webhooks.conftest import Receiver


def test_what_ended_while_no_server_ran_is_told_by_the_next(
    valkey: ValkeyServer, tmp_path: Path, receiver: Receiver
) -> None:
    with serve(valkey, tmp_path, webhooks_anywhere=True) as first:
        key, _ = KeyStore(connect(first.settings), first.settings).create("site", UNLIMITED)
        headers = {"Authorization": f"Bearer {key}"}
        body = {**PROMPT, "webhook": receiver.url}
        job = httpx.post(f"{first.url}/jobs", json=body, headers=headers, timeout=30).raise_for_status().json()
        assert job["webhook"] == {
            "url": receiver.url, "state": "waiting", "attempts": 0, "next_attempt_at": None, "error": None,
        }  # fmt: skip
    first.worker().work()
    assert receiver.connections == 0
    with serve(valkey, tmp_path, redis_url=first.settings.redis_url, webhooks_anywhere=True) as second:
        wait_until(lambda: receiver.seen, 120)
        told = json.loads(receiver.body())
        assert told["type"] == "job.succeeded"

        def found() -> dict[str, object]:
            asked = httpx.get(f"{second.url}/jobs/{job['id']}", headers=headers, timeout=30)
            data: dict[str, object] = asked.raise_for_status().json()
            return data

        wait_until(lambda: found()["webhook"]["state"] == "delivered", 120)  # type: ignore[index]
        # The whole job, as GET tells it; links are to the file, whoever is asked.
        changing = {"webhook", "links", "result"}
        assert {k: v for k, v in told["data"].items() if k not in changing} == {
            k: v for k, v in found().items() if k not in changing
        }
        assert httpx.get(told["data"]["result"]["audio"]["url"].replace(first.url, second.url)).is_success
