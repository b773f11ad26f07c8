"""The command that starts the bot."""

import sys
from pathlib import Path

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
    with pytest.raises(ToolMissing, match="\\[discord\\]"):
        CliRunner().invoke(riffusion, ["discord"], catch_exceptions=False)


def test_without_a_network_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cli, "get_settings", lambda: Settings(discord_token="x", data_dir=tmp_path))

    async def start(*_: object) -> None:
        raise ConnectionRefusedError("Cannot connect to host discord.com:443")

    monkeypatch.setattr("discord.Client.start", start)
    with pytest.raises(SetupError, match=r"can't be reached: Cannot connect to host discord\.com"):
        CliRunner().invoke(riffusion, ["discord"], catch_exceptions=False)
