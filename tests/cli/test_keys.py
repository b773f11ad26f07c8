"""`riffusion keys`, on a Redis of its settings and on that of a running `riffusion up`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from riffusion.errors import Gone, Unauthorized
from riffusion.jobs.audit import AuditLog
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.jobs.conftest import submit

Command = Callable[..., str]


@pytest.fixture
def keys(redis: Redis, settings: Settings) -> KeyStore:
    return KeyStore(redis, settings)


def create(command: Command, *options: str) -> dict[str, str]:
    """A new key, as it is shown: id, key, secret."""
    made = command("keys", "create", "my site", *options)
    return dict(line.split(maxsplit=1) for line in made.replace("webhook secret", "secret").splitlines())


def test_a_key_is_made_listed_and_revoked(command: Command, keys: KeyStore) -> None:
    shown = create(command, "--jobs-in-flight", "7", "--creates-per-minute", "0", "--for-end-users", "--operator")
    key = keys.check(shown["key"])
    assert (key.id, key.webhook_secret) == (shown["id"], shown["secret"])
    assert (key.name, key.quota.jobs_in_flight, key.quota.creates_per_minute) == ("my site", 7, 0)
    assert (key.for_end_users, key.operator, key.expires_at) == (True, True, None)
    for listed in (command("keys", "list"), command("keys", "list", "--json")):
        assert "my site" in listed
        assert key.id in listed
        assert shown["key"] not in listed
        assert key.digest not in listed
        assert key.webhook_secret not in listed
    command("keys", "revoke", key.id)
    assert command("keys", "list") == ""
    command("keys", "revoke", key.id, status=1)


def test_the_embedded_stack_is_found_by_its_folder(
    command: Command, keys: KeyStore, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RIFFUSION_REDIS_URL", "redis://127.0.0.1:1/0")
    (tmp_path / "redis.url").write_text(settings.redis_url)
    command("keys", "create", "me", "--data", str(tmp_path))
    assert [key.name for key in keys.list()] == ["me"]


def test_a_key_is_changed(command: Command, keys: KeyStore) -> None:
    shown = create(command, "--expires", "90d")
    key = keys.check(shown["key"])
    assert key.expires_at is not None
    command("keys", "set", key.id, "--creates-per-minute", "5", "--weight", "2", "--name", "shop", "--operator")
    changed = keys.check(shown["key"])
    quota = replace(key.quota, creates_per_minute=5)
    assert changed == replace(key, name="shop", weight=2.0, operator=True, quota=quota)
    command("keys", "set", key.id, "--no-operator", "--never-expires")
    assert keys.check(shown["key"]) == replace(changed, operator=False, expires_at=None)
    command("keys", "set", key.id, "--never-expires", "--expires", "1d", status=2)
    command("keys", "set", key.id, status=2)
    command("keys", "set", key.id, "--expires", "0s")
    with pytest.raises(Unauthorized):
        keys.check(shown["key"])


def test_secrets_are_rotated(command: Command, keys: KeyStore) -> None:
    shown = create(command)
    rotated = command("keys", "rotate", shown["id"]).split()[-1]
    assert keys.check(rotated) == keys.check(shown["key"])
    assert command("keys", "rotate", shown["id"], "--overlap", "0s").startswith("key  riff_")
    with pytest.raises(Unauthorized):
        keys.check(rotated)
    secret = command("keys", "rotate-webhook-secret", shown["id"], "--overlap", "2h").split()[-1]
    assert keys.webhook_secrets(shown["id"]) == (secret, shown["secret"])
    (listed,) = lines(command("keys", "list", "--json"))
    assert listed["replaced_webhook_secret_until"] > listed["created_at"]


def test_a_revoked_key_leaves_what_it_owns_to_an_heir(command: Command, store: JobStore) -> None:
    old, heir = create(command)["id"], create(command)["id"]
    job = submit(store, f"key:{old}")
    command("keys", "revoke", old, "--to", "none", status=1)
    command("keys", "revoke", old, "--to", heir, "--delete-data", status=2)
    command("keys", "revoke", old, "--to", heir)
    assert [key["id"] for key in lines(command("keys", "list", "--json"))] == [heir]
    assert store.get(job.id).tenant == f"key:{heir}"
    command("keys", "revoke", old, "--to", heir, status=1)


def test_what_a_revoked_key_owns_can_be_deleted_later(
    command: Command, store: JobStore, redis: Redis, settings: Settings
) -> None:
    old = create(command)["id"]
    job = submit(store, f"key:{old}")
    command("keys", "revoke", old)
    assert store.get(job.id).tenant == f"key:{old}"
    command("keys", "revoke", old, "--delete-data")
    with pytest.raises(Gone):
        store.get(job.id)
    actions = [entry.action for entry in AuditLog(redis, settings).read(10)]
    assert actions == ["key.delete_data", "key.revoke", "key.create"]


def test_a_key_that_is_its_own_heir_is_not_revoked(command: Command, keys: KeyStore) -> None:
    shown = create(command)
    command("keys", "revoke", shown["id"], "--to", shown["id"], status=2)
    assert keys.check(shown["key"]).id == shown["id"]


def test_an_end_user_is_no_key(command: Command, store: JobStore) -> None:
    key = create(command, "--for-end-users")["id"]
    job = submit(store, f"key:{key}/ann")
    for mistyped in (f"{key}/", f"{key}/a", f"{key}/ann", "*"):
        command("keys", "revoke", mistyped, "--delete-data", status=1)
    assert store.get(job.id) == job


def test_what_is_done_to_no_key_or_to_nothing_is_not_written_down(
    command: Command, noted: Command, redis: Redis, settings: Settings
) -> None:
    assert noted("keys", "list") == "There are no keys.\n"
    for refused in (
        ("set", "0123", "--weight", "2"), ("set", "0123", "--never-expires"), ("rotate", "0123"),
        ("rotate-webhook-secret", "0123"), ("revoke", "0123"), ("revoke", "0123", "--delete-data"),
    ):  # fmt: skip
        assert "0123" in noted("keys", *refused, status=1)
    assert AuditLog(redis, settings).read(10) == []
    shown = create(command)
    assert noted("keys", "revoke", shown["id"], "--delete-data") == "It owned no jobs, uploads or batches.\n"
    actions = [entry.action for entry in AuditLog(redis, settings).read(10)]
    assert actions == ["key.revoke", "key.create"]


def test_a_time_that_no_calendar_has_is_refused(command: Command) -> None:
    shown = create(command)
    for until in ("99999999d", "9" * 400 + "s"):
        command("keys", "create", "other", "--expires", until, status=2)
        command("keys", "set", shown["id"], "--expires", until, status=2)
    assert shown["id"] in command("keys", "list")
