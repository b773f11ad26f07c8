"""A bot between a fake Discord and the real API; tests act as the worker."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from flask import request
from pydantic import SecretStr
from werkzeug.serving import make_server
from yarl import URL

from api.app import create_app
from api.services import EXTENSION, Services
from riffusion.client.transport import END_USER_HEADER
from riffusion.discord_bot import bot as bot_module
from riffusion.discord_bot import clip_service
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.jobs.record import JobRecord
from riffusion.settings import Settings
from tests.api.conftest import Worker
from tests.conftest import ValkeyServer, free_port
from tests.discord_bot.fake_discord import TOKEN, FakeDiscord, Message, until

PACE_S = 0.1


@pytest.fixture
def anyio_backend() -> str:
    """discord.py runs on asyncio."""
    return "asyncio"


@pytest.fixture
def settings(valkey: ValkeyServer, tmp_path: Path) -> Settings:
    url = f"http://127.0.0.1:{free_port()}"
    return Settings(
        redis_url=valkey.url, data_dir=tmp_path / "data", model=Worker.MODEL, public_url=url,
        discord_token=SecretStr(TOKEN), discord_api_url=url, discord_user_jobs=2, discord_guild_jobs=3,
        discord_blocked_words="polka, wet noodle",
    )  # fmt: skip


@pytest.fixture
def end_users() -> list[str | None]:
    """On whose behalf the API was asked, request by request."""
    return []


@pytest.fixture
def services(settings: Settings, end_users: list[str | None]) -> Iterator[Services]:
    """The real API, listening where the settings say, and its services."""
    app = create_app(settings)
    app.before_request(lambda: end_users.append(request.headers.get(END_USER_HEADER)))
    listening = make_server("127.0.0.1", URL(settings.public_url).port or 0, app, threaded=True)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    found: Services = app.extensions[EXTENSION]
    yield found
    listening.shutdown()
    thread.join()
    listening.server_close()
    found.hub.close()


@pytest.fixture
def worker(services: Services) -> Worker:
    return Worker(services.store, services.files)


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeDiscord]:
    fake = FakeDiscord()
    await fake.start()
    monkeypatch.setattr(Route, "BASE", f"http://{fake.address}/api")
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", URL(f"ws://{fake.address}/gateway/"))
    yield fake
    await fake.stop()


StartBot = Callable[[], Awaitable[RiffusionBot]]


@pytest.fixture
async def start_bot(
    discord: FakeDiscord, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[StartBot]:
    """Starts a bot; a test closes it before it starts another."""
    monkeypatch.setattr(clip_service, "UPDATE_S", PACE_S)
    monkeypatch.setattr(clip_service, "RETRY_S", PACE_S)
    monkeypatch.setattr(bot_module, "RETRY_FOR_S", PACE_S)
    started: list[tuple[RiffusionBot, asyncio.Task[None]]] = []

    async def start() -> RiffusionBot:
        bot = RiffusionBot(settings)
        task = asyncio.create_task(bot.start(TOKEN))
        started.append((bot, task))
        await until(lambda: discord.connected or task.done())
        if task.done():
            await task  # raises why
        return bot

    yield start
    for bot, task in started:
        await bot.close()
        await task


@pytest.fixture
async def bot(start_bot: StartBot, worker: Worker) -> RiffusionBot:
    """A running bot."""
    return await start_bot()


async def made(discord: FakeDiscord, worker: Worker, *, by: int) -> Message:
    """The reply to a user's command, with its clip."""
    asked = await discord.command("riff", by=by, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    worker.succeed(worker.claim())
    await until(lambda: asked.reply.files)
    return asked.reply


async def claimed(services: Services, worker: Worker) -> JobRecord:
    """The next job, once it has been submitted."""
    await until(lambda: services.store.models.loads()[Worker.MODEL].waiting)
    return worker.claim()
