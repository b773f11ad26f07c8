"""What the tests of operators' commands share."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from riffusion.cli import cli
from riffusion.errors import RiffusionError
from riffusion.settings import Settings, get_settings


def _refusal(error: BaseException | None) -> str:
    return str(error) if isinstance(error, RiffusionError) else ""


@pytest.fixture
def noted(command: Callable[..., str]) -> Callable[..., str]:
    """Runs `riffusion …` as `command` does, and returns what it says on standard error, a refusal included."""

    def run(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == status, result.output
        return result.stderr + _refusal(result.exception)

    return run


@pytest.fixture
def command(redis: Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Runs `riffusion …` on the test's Redis and storage; returns what it prints on standard output."""
    monkeypatch.setenv("RIFFUSION_REDIS_URL", settings.redis_url)
    monkeypatch.setenv("RIFFUSION_DATA_DIR", str(settings.data_dir))
    get_settings.cache_clear()

    def run(*arguments: str, status: int = 0) -> str:
        result = CliRunner().invoke(cli, arguments)
        assert result.exit_code == status, result.output
        return result.stdout

    yield run
    get_settings.cache_clear()


def lines(output: str) -> list[Any]:
    """The objects in lines of JSON."""
    return [json.loads(line) for line in output.splitlines()]
