"""`riffusion models`: what it shows and does, and what it writes into the audit log."""

from collections.abc import Callable

from redis import Redis

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.jobs.conftest import submit

Command = Callable[..., str]


def test_models_are_paused_drained_and_resumed(
    command: Command, store: JobStore, redis: Redis, settings: Settings
) -> None:
    assert command("models", "list") == ""
    store.models.register("w", "tiny", 4)
    submit(store)
    for verb, state in (("pause", "paused"), ("drain", "draining"), ("resume", "active")):
        command("models", verb, "tiny")
        assert store.models.loads()["tiny"].state == state
        assert state in command("models", "list")
    (shown,) = lines(command("models", "list", "--json"))
    assert shown == {"name": "tiny", "state": "active", "workers": 1, "slots": 4, "waiting": 1, "running": 0}
    command("models", "pause", "none", status=1)
    actions = [entry.action for entry in AuditLog(redis, settings).read(10)]
    assert actions == ["model.pause", "model.resume", "model.drain", "model.pause"]


def test_a_model_is_retired(command: Command, store: JobStore) -> None:
    store.models.register("w", "old", 4)
    command("models", "retire", "old", status=1)
    store.models.unregister("w")
    submit(store, model="old")
    assert command("models", "retire", "old") == "1 jobs failed as model_retired\n"
    assert command("models", "list") == ""
