"""`riffusion plan` prints each figure with its source, by the settings of the environment."""

from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from riffusion.cli import cli
from riffusion.settings import get_settings


@pytest.fixture(autouse=True)
def _own_settings() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_a_plan_names_figures_and_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIFFUSION_MAX_QUEUED", "7777")
    result = CliRunner().invoke(cli, ["plan", "--per-second", "23", "--gpu", "h200"])
    assert result.exit_code == 0, result.output
    assert "workers of 1 h200       9\n" in result.stdout
    assert "RIFFUSION_MAX_QUEUED is 7,777" in result.stdout
    assert "assumption: Stable Diffusion 1.5" in result.stdout
    assert "hour" not in result.stdout  # no money without a price


def test_own_figures_replace_the_plans() -> None:
    options = ["--per-second", "23", "--gpu", "a10g", "--clips-per-second", "1", "--gpu-hour-price", "0.5"]
    result = CliRunner().invoke(cli, ["plan", *options])
    assert result.exit_code == 0, result.output
    assert "workers of 1 a10g       29\n" in result.stdout
    assert "workers, an hour        14.50\n" in result.stdout
