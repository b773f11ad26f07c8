"""`riffusion models`: what it shows and does, and what it writes into the audit log."""

import re
from collections.abc import Callable

from redis import Redis

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.jobs.conftest import submit

Command = Callable[..., str]


def test_models_are_paused_drained_and_resumed(
    command: Command, noted: Command, store: JobStore, redis: Redis, settings: Settings
) -> None:
    assert command("models", "list") == ""
    assert "No model" in noted("models", "list")
    store.models.register("w", "tiny", 4)
    submit(store)
    before = "active"
    for verb, state in (("pause", "paused"), ("drain", "draining"), ("resume", "active")):
        assert command("models", verb, "tiny") == f"tiny is {state}; it was {before}\n"
        assert command("models", verb, "tiny") == f"tiny is {state} already\n"
        assert store.models.loads()["tiny"].state == state
        assert state in command("models", "list")
        before = state
    (shown,) = lines(command("models", "list", "--json"))
    assert 0 <= shown.pop("oldest_waiting_s") < 60
    assert shown == {"name": "tiny", "state": "active", "workers": 1, "slots": 4, "waiting": 1, "running": 0}
    assert "There is no model none" in noted("models", "pause", "none", status=1)
    actions = [entry.action for entry in AuditLog(redis, settings).read(10)]
    assert actions == ["model.resume", "model.drain", "model.pause"]


def test_a_pause_is_shown_with_the_wait_that_it_causes(
    command: Command, noted: Command, store: JobStore, redis: Redis
) -> None:
    waiting = submit(store)
    redis.zincrby("queued:tiny", -100, waiting.id)
    command("models", "pause", "tiny")
    assert re.search(r"OLDEST WAIT.*\n.*10\d s", command("models", "list"))
    assert "tiny is paused: its 1 waiting jobs" in noted("models", "list")
    assert "model tiny is paused" in command("jobs", "show", waiting.id)


def test_a_model_is_retired(command: Command, store: JobStore, redis: Redis, settings: Settings) -> None:
    store.models.register("w", "old", 4)
    for name in ("old", "none", "tiny"):
        command("models", "retire", name, status=1)
    assert AuditLog(redis, settings).read(10) == []
    store.models.unregister("w")
    submit(store, model="old")
    assert command("models", "retire", "old") == "old is retired: 1 jobs failed as model_retired\n"
    assert command("models", "list") == ""
    assert [entry.action for entry in AuditLog(redis, settings).read(10)] == ["model.retire"]
