"""What the bot says where there is no clip."""

import pytest

from api.services import Services
from riffusion.discord_bot import buttons, messages
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.errors import QueueFull
from riffusion.jobs.record import Failure
from tests.api.conftest import Worker
from tests.conftest import ValkeyServer
from tests.discord_bot.conftest import claimed, made
from tests.discord_bot.fake_discord import FakeDiscord, until

pytestmark = pytest.mark.anyio
ALICE, BOB, CAROL = 11, 12, 13


async def test_a_users_limit(bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker) -> None:
    first, _ = [await discord.command("riff", by=ALICE, prompt="funk bassline") for _ in range(2)]
    third = await discord.command("riff", by=ALICE, prompt="funk bassline")
    assert third.reply.content == messages.user_limit_reached(2)
    assert third.is_private
    await until(lambda: first.reply.buttons)
    await discord.press(first.reply, "Cancel", by=ALICE)
    await until(lambda: not bot.service._limits.user_is_full(ALICE))
    assert not (await discord.command("riff", by=ALICE, prompt="funk bassline")).is_private


async def test_a_discord_servers_limit(bot: RiffusionBot, discord: FakeDiscord) -> None:
    for user in (ALICE, ALICE, BOB):
        await discord.command("riff", by=user, prompt="funk bassline")
    fourth = await discord.command("riff", by=CAROL, prompt="funk bassline")
    assert fourth.reply.content == messages.guild_limit_reached(3)
    assert fourth.is_private


async def test_blocked_words(bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker) -> None:
    clip = await made(discord, worker, by=ALICE)
    refused = [
        await discord.command("riff", by=ALICE, prompt="a POLKA"),
        await discord.command("riff", by=ALICE, prompt="funk", negative="wet  noodle"),
        await discord.command("blend", by=ALICE, start="funk", end="polka"),
        await discord.fill_in(await discord.press(clip, "Remix …", by=BOB), "polka!", by=BOB),
    ]
    assert [(asked.reply.content, asked.is_private) for asked in refused] == [(messages.BLOCKED, True)] * 4
    assert services.store.models.loads()[Worker.MODEL].waiting == 0


async def test_a_job_that_fails(bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    worker.fail(await claimed(services, worker))
    await until(lambda: "too large for the music server's memory" in asked.reply.content)
    assert not asked.reply.buttons


async def test_a_job_that_fails_with_a_passing_error_has_ended_all_the_same(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    services.store.finish(job.id, job.token, Failure("storage_unavailable", "S3 was away."))
    await until(lambda: "can't reach its files" in asked.reply.content)
    await until(lambda: not bot.service._store.all())


async def test_a_full_queue(bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise QueueFull("1000 jobs wait.", retry_after=30)

    monkeypatch.setattr("riffusion.jobs.store.JobStore.accept", full)
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: "accepts no more right now. Try again <t:" in asked.reply.content)


async def test_a_server_that_is_away(
    bot: RiffusionBot, discord: FakeDiscord, valkey: ValkeyServer, services: Services
) -> None:
    valkey.pause()
    try:
        asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
        await until(lambda: "has trouble with its queue right now" in asked.reply.content)
    finally:
        valkey.resume()
    assert not bot.service._limits.user_is_full(ALICE)


async def test_a_clip_that_can_not_be_deleted_now_stays(
    bot: RiffusionBot, discord: FakeDiscord, worker: Worker, valkey: ValkeyServer
) -> None:
    clip = await made(discord, worker, by=ALICE)
    valkey.pause()
    try:
        asked = await discord.press(clip, "Delete", by=ALICE)
        await until(lambda: asked.followups)
    finally:
        valkey.resume()
    assert "has trouble with its queue" in asked.followups[0].content
    assert not clip.deleted


async def test_a_clip_that_has_expired(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    clip = await made(discord, worker, by=ALICE)
    services.store.delete(clip.buttons["Delete"].split(":")[2])
    again = await discord.press(clip, "Vary", by=BOB)
    await until(lambda: "no longer on the music server" in again.reply.content)
    remix = await discord.press(clip, "Remix …", by=BOB)
    assert "no longer on the music server" in remix.reply.content
    assert remix.is_private


async def test_a_dialog_that_would_come_too_late(
    bot: RiffusionBot, discord: FakeDiscord, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = await made(discord, worker, by=ALICE)
    monkeypatch.setattr(buttons, "DIALOG_S", 0)
    remix = await discord.press(clip, "Remix …", by=BOB)
    assert "doesn't respond right now" in remix.reply.content


async def test_a_style_that_is_no_sound(bot: RiffusionBot, discord: FakeDiscord) -> None:
    style = discord.attachment("text.txt", b"hello", "text/plain")
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline", style=style)
    await until(lambda: "can't be used" in asked.reply.content)


async def test_a_style_that_can_not_be_combined(bot: RiffusionBot, discord: FakeDiscord) -> None:
    style = discord.attachment("text.txt", b"hello", "text/plain")
    asked = await discord.command("riff", by=ALICE, prompt="funk", style=style, length=2.0)
    assert asked.reply.content == messages.STYLE_HAS_LENGTH
    asked = await discord.command("riff", by=ALICE, prompt="funk", style={**style, "size": 26 << 20})
    assert asked.reply.content == messages.STYLE_TOO_LARGE


async def test_a_bug_is_reported_and_frees_the_slot(
    bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riffusion.client.AsyncClient.submit", lambda *_, **__: 1 / 0)
    asked = await discord.command("riff", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.content == messages.BUG)
    await until(lambda: not bot.service._running)
