"""The command that starts the bot."""

import sys

import pytest
from click.testing import CliRunner

from riffusion.cli import cli as riffusion
from riffusion.discord_bot import cli
from riffusion.errors import SetupError, ToolMissing
from riffusion.settings import Settings


def test_without_a_token_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "get_settings", Settings)
    with pytest.raises(SetupError, match="RIFFUSION_DISCORD_TOKEN"):
        CliRunner().invoke(riffusion, ["discord"], catch_exceptions=False)


def test_without_discord_py_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "get_settings", lambda: Settings(discord_token="x"))
    monkeypatch.setitem(sys.modules, "discord", None)
    with pytest.raises(ToolMissing, match="riffusion\\[discord\\]"):
        CliRunner().invoke(riffusion, ["discord"], catch_exceptions=False)
