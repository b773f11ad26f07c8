"""Whatever stops or is interrupted, a finished job's clip is posted."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.services import Services
from riffusion.discord_bot import messages, reply
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.settings import Settings
from tests.api.conftest import Worker
from tests.conftest import ValkeyServer
from tests.discord_bot.conftest import StartBot, claimed, made
from tests.discord_bot.fake_discord import TOKEN, FakeDiscord, until

pytestmark = pytest.mark.anyio
ALICE = 11

# What `riffusion discord` does, pointed at another Discord.
BOT_PROCESS = """
import sys
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL
from riffusion.discord_bot.cli import discord
Route.BASE = f"http://{sys.argv[1]}/api"
DiscordWebSocket.DEFAULT_GATEWAY = URL(f"ws://{sys.argv[1]}/gateway/")
discord(args=[])
"""


async def test_a_restarted_bot_resumes_what_a_killed_one_left(
    discord: FakeDiscord, settings: Settings, services: Services, worker: Worker, start_bot: StartBot
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", BOT_PROCESS, discord.address],
        env={
            **os.environ, "RIFFUSION_DATA_DIR": str(settings.data_dir),
            "RIFFUSION_DISCORD_API_URL": settings.discord_api_url, "RIFFUSION_DISCORD_TOKEN": TOKEN,
        }, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    await until(lambda: discord.connected)
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    process.kill()
    await asyncio.to_thread(process.wait)
    await until(lambda: not discord.connected)
    worker.succeed(job)
    assert not asked.reply.files
    bot = await start_bot()
    await until(lambda: asked.reply.files)
    assert services.store.models.loads()[Worker.MODEL].waiting == 0  # no second job was made of it
    await until(lambda: not bot.service._store.all())


async def test_a_request_that_was_not_submitted_yet_is_submitted(
    discord: FakeDiscord, services: Services, worker: Worker, start_bot: StartBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await start_bot()
    monkeypatch.setattr(bot.service, "_start", lambda *_, **__: None)  # as if it had ended right here
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(bot.service._store.all)
    await bot.close()
    await until(lambda: not discord.connected)
    bot = await start_bot()
    worker.succeed(await claimed(services, worker))
    await until(lambda: asked.reply.files)


async def test_buttons_outlive_the_bot_that_posted_them(
    discord: FakeDiscord, services: Services, worker: Worker, start_bot: StartBot
) -> None:
    bot = await start_bot()
    clip = await made(discord, worker, by=ALICE)
    await bot.close()
    await until(lambda: not discord.connected)
    await start_bot()
    await discord.press(clip, "Extend", by=ALICE)
    assert (await claimed(services, worker)).mode == "extend"


async def test_limits_count_what_was_open_before(
    discord: FakeDiscord, services: Services, worker: Worker, start_bot: StartBot
) -> None:
    bot = await start_bot()
    for _ in range(2):
        await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: len(bot.service._store.all()) == 2)
    await bot.close()
    await until(lambda: not discord.connected)
    await start_bot()
    assert (await discord.command("riff", by=ALICE, prompt="funk bassline")).is_private


async def test_after_the_token_the_bot_edits_as_a_member(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    monkeypatch.setattr(reply, "TOKEN_S", 0)
    worker.succeed(await claimed(services, worker))
    await until(lambda: asked.reply.files)
    assert asked.reply.edited_through[0] == "webhooks"
    assert asked.reply.edited_through[-1] == "channels"
    assert "Vary" in asked.reply.buttons


async def test_an_upload_that_broke_off_is_repeated(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    discord.hang_ups = 1
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    worker.succeed(await claimed(services, worker))
    await until(lambda: asked.reply.files)
    assert discord.hang_ups == 0
    assert services.store.models.loads()[Worker.MODEL].waiting == 0


async def test_a_server_that_comes_back_is_asked_again(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, valkey: ValkeyServer
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    job = worker.claim()
    valkey.pause()
    try:
        await until(lambda: messages.SERVER_AWAY in asked.reply.content)
    finally:
        valkey.resume()
    worker.succeed(job)
    await until(lambda: asked.reply.files)


async def test_a_server_that_is_away_at_the_start_is_waited_for(
    *, discord: FakeDiscord, services: Services, worker: Worker, valkey: ValkeyServer, start_bot: StartBot,
    end_users: list[str | None],
) -> None:  # fmt: skip
    bot = await start_bot()
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    await bot.close()
    await until(lambda: not discord.connected)
    worker.succeed(job)
    seen = len(end_users)
    valkey.pause()
    try:
        bot = await start_bot()
        await until(lambda: len(end_users) >= seen + 2)  # it has been refused once and asks again
        assert bot.service._store.all()
    finally:
        valkey.resume()
    await until(lambda: asked.reply.files)
