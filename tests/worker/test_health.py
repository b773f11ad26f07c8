"""A worker says whether it works, in the same process and as one of its own."""

import time
from collections.abc import Callable

import httpx
import pytest

from riffusion.errors import StoreUnavailable
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.conftest import free_port
from tests.worker.conftest import Workers
from worker import heartbeat
from worker.heartbeat import Heartbeat


def test_it_works_from_its_first_heartbeat_until_they_stop(
    store: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats = Heartbeat(store, settings, "one")
    assert not beats.alive
    beats.start()
    assert beats.alive
    beats.stop()
    monkeypatch.setattr(heartbeat, "STUCK_S", 0.05)
    time.sleep(0.1)
    assert not beats.alive


def test_it_works_while_redis_is_away(store: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("Redis doesn't respond.")

    monkeypatch.setattr(store.models, "register", away)
    beats = Heartbeat(store, settings, "one")
    beats.start()
    assert beats.alive
    beats.stop()


def test_a_process_says_so_beside_its_metrics(workers: Callable[..., Workers]) -> None:
    port = free_port()
    workers(worker_metrics_port=port).start()
    assert httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok\n"
    assert "riffusion_worker_jobs_running" in httpx.get(f"http://127.0.0.1:{port}/metrics").text
