"""`riffusion submit` on a running service."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from riffusion.cli import cli
from riffusion.errors import Unauthorized
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings, get_settings
from tests.client.in_process_service import serving


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as url:
        yield url


def test_a_prompt_becomes_two_files(url: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli, ["submit", "0", "--url", url, "--seed", "7", "-o", str(tmp_path)], catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert {path.suffix: path.read_bytes() for path in tmp_path.glob("*.*")} == {".mp3": b"sound", ".png": b"picture"}
    assert f"{url}/files/results/" in result.output


def test_a_recipe_becomes_a_job(url: str, tmp_path: Path) -> None:
    recipe = json.dumps({"mode": "text-to-audio", "prompt": "0", "format": "ogg"})
    arguments = ["submit", "--request", "-", "--url", url, "-o", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments, input=recipe, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert len(list(tmp_path.glob("*.ogg"))) == 1


@pytest.mark.parametrize("arguments", [["submit"], ["submit", "bells", "--request", "-"]])
def test_a_prompt_or_a_recipe(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments, input="{}")
    assert result.exit_code == 2
    assert "Give a PROMPT or --request" in result.output


def test_a_key_is_sent(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeyStore(connect(settings), settings)
    text, _ = keys.create("me", UNLIMITED)
    with serving(settings.model_copy(update={"anonymous": False})) as url:
        arguments = ["submit", "0", "--url", url, "-o", str(tmp_path)]
        refused = CliRunner().invoke(cli, arguments)
        assert isinstance(refused.exception, Unauthorized)
        assert CliRunner().invoke(cli, [*arguments, "--key", text]).exit_code == 0
        monkeypatch.setenv("RIFFUSION_KEY", text)
        get_settings.cache_clear()
        assert CliRunner().invoke(cli, arguments).exit_code == 0
    get_settings.cache_clear()
