"""API keys: shown once, known by their hash, ended at once."""

import pytest
from redis import Redis

from riffusion.errors import NotFound, Unauthorized
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import Quota
from riffusion.settings import Settings

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
