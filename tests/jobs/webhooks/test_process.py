"""Webhooks of the real server."""

import json
import os
from functools import partial
from pathlib import Path

import httpx
import pytest

from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED
from tests.api.conftest import PROMPT, serve
from tests.conftest import ValkeyServer, wait_until
from tests.jobs.webhooks.conftest import Receiver, Tarpit, ended

NAMES = Path(__file__).parent / "names"
SOON_S = 8.0  # a second until a dispatcher's next round, and some for a busy machine; a try at a tarpit takes 15


def test_what_ended_while_no_server_ran_is_sent_by_the_next(
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
        sent = json.loads(receiver.body())
        assert sent["type"] == "job.succeeded"

        def found() -> dict[str, object]:
            asked = httpx.get(f"{second.url}/jobs/{job['id']}", headers=headers, timeout=30)
            data: dict[str, object] = asked.raise_for_status().json()
            return data

        wait_until(lambda: found()["webhook"]["state"] == "delivered", 120)  # type: ignore[index]
        # The whole job, as GET returns it; links from either server lead to the file.
        changing = {"webhook", "links", "result"}
        assert {k: v for k, v in sent["data"].items() if k not in changing} == {
            k: v for k, v in found().items() if k not in changing
        }
        assert httpx.get(sent["data"]["result"]["audio"]["url"].replace(first.url, second.url)).is_success


def test_hosts_and_name_servers_that_never_respond_delay_no_others(
    *, valkey: ValkeyServer, tmp_path: Path, receiver: Receiver, tarpit: Tarpit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NAMES), *filter(None, [os.environ.get("PYTHONPATH")])]))
    monkeypatch.setenv("SILENT_UNTIL", str(tmp_path / "over"))
    with serve(valkey, tmp_path, webhooks_anywhere=True) as server:
        store = JobStore.connect(server.settings)
        ids = [KeyStore(store.redis, server.settings).create(f"key{n}", UNLIMITED)[1].id for n in range(10)]
        ended(store, ids[0], *[tarpit.url(path=str(number)) for number in range(200)])
        ended(store, ids[1], *[tarpit.url(f"a{number}.evil.example") for number in range(200)])
        for each in ids[2:9]:  # more names that hang than gevent has threads by itself
            ended(store, each, *[f"http://a{number}.silent.example/" for number in range(20)])
        wait_until(lambda: len(tarpit.connections) >= 5)
        for count in range(1, 4):
            ended(store, ids[9], receiver.url.replace("127.0.0.1", "localhost"))
            wait_until(partial(_has_seen, receiver, count), SOON_S, "others' webhooks hold it up")
        tarpit.close()
        (tmp_path / "over").touch()


def _has_seen(receiver: Receiver, count: int) -> bool:
    return len(receiver.seen) >= count
