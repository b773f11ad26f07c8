"""`riffusion keys`, on a Redis of its settings and on that of a running `riffusion up`."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from redis import Redis

from riffusion.cli import cli
from riffusion.jobs.keys import KeyStore
from riffusion.settings import Settings, get_settings


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def run(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(cli, ["keys", *arguments])
    assert result.exit_code == status, result.output
    return result.stdout


def test_a_key_is_made_listed_and_revoked(redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFFUSION_REDIS_URL", settings.redis_url)
    made = run("create", "my site", "--jobs-in-flight", "7", "--creates-per-minute", "0", "--for-end-users")
    shown = dict(line.split(maxsplit=1) for line in made.replace("webhook secret", "secret").splitlines())
    key = KeyStore(redis, settings).check(shown["key"])
    assert (key.id, key.webhook_secret) == (shown["id"], shown["secret"])
    assert (key.name, key.quota.jobs_in_flight, key.quota.creates_per_minute) == ("my site", 7, 0)
    listed = run("list")
    assert "my site" in listed
    assert key.id in listed
    assert shown["key"] not in listed
    assert key.webhook_secret not in listed
    run("revoke", key.id)
    assert run("list") == ""


def test_the_embedded_stack_is_found_by_its_folder(redis: Redis, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "redis.url").write_text(settings.redis_url)
    run("create", "me", "--data", str(tmp_path))
    assert [key.name for key in KeyStore(redis, settings).list()] == ["me"]
