"""The audit log: in order, paged, bounded, and writable when memory is full."""

import time

import pytest
from redis import Redis

from riffusion.errors import StoreUnavailable
from riffusion.jobs import audit
from riffusion.jobs.audit import AuditLog
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.jobs.conftest import submit


@pytest.fixture
def log(redis: Redis, settings: Settings) -> AuditLog:
    return AuditLog(redis, settings)


def test_an_entry_reads_back(log: AuditLog) -> None:
    log.write("cli:ann@host", "job.requeue", "0123", {"reason": "Wörker", "count": 3})
    (entry,) = log.read(10)
    assert (entry.actor, entry.action, entry.target) == ("cli:ann@host", "job.requeue", "0123")
    assert entry.details == {"reason": "Wörker", "count": 3}
    assert abs(entry.at - time.time()) < 60


def test_the_newest_comes_first_and_pages_go_back(log: AuditLog) -> None:
    for number in range(5):
        log.write("key:1", "model.pause", f"m{number}")
    first = log.read(2)
    assert [entry.target for entry in first] == ["m4", "m3"]
    assert [entry.target for entry in log.read(10, before=first[-1].id)] == ["m2", "m1", "m0"]
    assert log.read(10, before=log.read(10)[-1].id) == []


def test_its_length_is_bounded(log: AuditLog, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "KEPT", 100)
    for number in range(450):
        log.write("key:1", "model.pause", str(number))
    assert redis.xlen("audit") <= 200  # type: ignore[operator]  # trimmed by whole nodes
    assert log.read(1)[0].target == "449"


def test_it_can_be_written_when_memory_is_full(log: AuditLog, store: JobStore, redis: Redis) -> None:
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable):
            submit(store)
        log.write("key:1", "model.pause", "tiny")
    finally:
        redis.config_set("maxmemory", 0)
    assert log.read(1)[0].target == "tiny"
