"""API keys: shown once, known by their hash, ended at once."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from redis import Redis

from riffusion.errors import NotFound, Unauthorized
from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.tenants import Quota
from riffusion.settings import Settings
from tests.jobs.conftest import at_once

QUOTA = Quota(60, 5)


@pytest.fixture
def keys(redis: Redis, settings: Settings) -> KeyStore:
    return KeyStore(redis, settings)


def test_a_key_is_known_again(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA, weight=2, for_end_users=True)
    assert keys.check(text) == key == keys.get(key.id)
    assert (key.name, key.quota, key.weight, key.for_end_users) == ("site", QUOTA, 2, True)


def test_redis_has_no_key(keys: KeyStore, redis: Redis) -> None:
    text, key = keys.create("site", QUOTA)
    secret = text.split("_", 2)[2]
    everything = str(redis.hvals("keys"))
    assert key.digest in everything
    assert secret not in everything
    assert key.webhook_secret not in repr(key)


def test_what_is_nearly_a_key_is_none(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA)
    other, _ = keys.create("other", QUOTA)
    stolen = f"riff_{key.id}_{other.split('_', 2)[2]}"
    for wrong in (
        "",
        "riff",
        "riff_",
        f"riff_{key.id}",
        f"riff_{key.id}_",
        text[:-1],
        f"{text}x",
        text.upper(),
        stolen,
    ):
        with pytest.raises(Unauthorized):
            keys.check(wrong)


def test_a_revoked_key_is_none(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA)
    kept, _ = keys.create("other", QUOTA)
    keys.revoke(key.id)
    with pytest.raises(Unauthorized):
        keys.check(text)
    assert [each.name for each in keys.list()] == ["other"]
    assert keys.check(kept).name == "other"
    with pytest.raises(NotFound, match="keys list"):
        keys.revoke(key.id)


def test_keys_are_listed_as_they_were_made(keys: KeyStore) -> None:
    for name in "cab":
        keys.create(name, QUOTA)
    assert [key.name for key in keys.list()] == list("cab")


def expire(redis: Redis, key: Key, field: str) -> None:
    """Lets a time in a key's record have passed."""
    data = json.loads(redis.hget("keys", key.id) or "")  # type: ignore[arg-type]
    if field == "expires_at":
        data[field] = 1
    else:
        data[field]["until"] = 1
    redis.hset("keys", key.id, json.dumps(data))


def test_a_key_expires(keys: KeyStore, redis: Redis) -> None:
    text, key = keys.create("site", QUOTA, expires_in_s=3600)
    assert keys.check(text).expires_at == pytest.approx(time.time() + 3600, abs=60)
    expire(redis, key, "expires_at")
    with pytest.raises(Unauthorized, match="expired"):
        keys.check(text)
    with pytest.raises(Unauthorized, match="unknown"):
        keys.check(f"{text}x")  # a guess reveals nothing
    keys.expire_in(key.id, None)
    assert keys.check(text).expires_at is None


def test_both_secrets_are_valid_for_a_while_after_a_rotation(keys: KeyStore, redis: Redis) -> None:
    first, key = keys.create("site", QUOTA)
    second, rotated = keys.rotate(key.id, overlap_s=60)
    assert keys.check(first) == keys.check(second) == rotated
    assert (rotated.id, rotated.quota, rotated.webhook_secret) == (key.id, key.quota, key.webhook_secret)
    assert second.startswith(f"riff_{key.id}_")
    expire(redis, key, "replaced")
    with pytest.raises(Unauthorized):
        keys.check(first)
    keys.check(second)
    third, _ = keys.rotate(key.id, overlap_s=60)
    keys.check(second)
    keys.check(third)
    with pytest.raises(Unauthorized):
        keys.check(first)


def test_a_secret_that_leaked_ends_at_once(keys: KeyStore) -> None:
    leaked, key = keys.create("site", QUOTA)
    text, _ = keys.rotate(key.id, overlap_s=0)
    with pytest.raises(Unauthorized):
        keys.check(leaked)
    assert keys.check(text).id == key.id


def test_webhooks_are_signed_by_both_secrets_for_a_while(keys: KeyStore, redis: Redis) -> None:
    _, key = keys.create("site", QUOTA)
    assert keys.webhook_secrets(key.id) == (key.webhook_secret,)
    rotated = keys.rotate_webhook_secret(key.id, overlap_s=60)
    assert keys.webhook_secrets(key.id) == (rotated.webhook_secret, key.webhook_secret)
    assert key.webhook_secret not in repr(rotated)
    expire(redis, key, "replaced_webhook_secret")
    assert keys.webhook_secrets(key.id) == (rotated.webhook_secret,)
    keys.revoke(key.id)
    assert keys.webhook_secrets(key.id) == ()


def test_a_key_is_changed(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA)
    changed = keys.change(key.id, lambda old: replace(old, name="shop", operator=True))
    assert keys.check(text) == changed == replace(key, name="shop", operator=True)
    with pytest.raises(NotFound):
        keys.change("none", lambda old: old)


def test_changes_at_once_are_all_kept(keys: KeyStore) -> None:
    first, key = keys.create("site", QUOTA)

    def change(index: int) -> str:
        if index == 0:
            return keys.rotate(key.id, 60)[0]
        keys.change(key.id, lambda old: replace(old, weight=old.weight + 1))
        return first

    texts = at_once(change, 8)
    found = {keys.check(text) for text in texts}
    assert {each.weight for each in found} == {8}


def test_a_key_revoked_during_a_change_stays_revoked(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA)

    def revoke_meanwhile(old: Key) -> Key:
        if keys.get(key.id) is not None:
            keys.revoke(key.id)
        return replace(old, name="back")

    with pytest.raises(NotFound):
        keys.change(key.id, revoke_meanwhile)
    with pytest.raises(Unauthorized):
        keys.check(text)


def test_rotations_under_load_refuse_no_request(keys: KeyStore) -> None:
    text, key = keys.create("site", QUOTA)
    latest, stop = [text], threading.Event()
    checked: list[int] = []

    def ask() -> int:
        count = 0
        while not stop.is_set():
            assert keys.check(latest[0]).id == key.id
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for _ in range(50):
            latest[0] = keys.rotate(key.id, overlap_s=60)[0]
        stop.set()
        checked += [each.result() for each in asking]
    assert min(checked) > 0


def test_a_key_of_the_version_before_is_read(keys: KeyStore, redis: Redis) -> None:
    text, key = keys.create("site", QUOTA)
    before = {
        "id", "name", "digest", "created_at", "quota", "weight", "for_end_users", "webhook_secret",
    }  # fmt: skip
    stored = json.loads(redis.hget("keys", key.id) or "")  # type: ignore[arg-type]
    assert stored.keys() == before  # which it reads, as long as no newer feature is used
    assert keys.check(text) == key
    keys.rotate(key.id, 60)


def test_what_a_newer_version_has_stored_is_ignored(keys: KeyStore, redis: Redis) -> None:
    text, key = keys.create("site", QUOTA)
    keys.rotate(key.id, 60)
    stored = json.loads(redis.hget("keys", key.id) or "")  # type: ignore[arg-type]
    stored |= {"new": 1, "quota": stored["quota"] | {"new": 1}, "replaced": stored["replaced"] | {"new": 1}}
    redis.hset("keys", key.id, json.dumps(stored))
    assert keys.check(text).name == "site"
