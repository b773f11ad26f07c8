"""Where there is no jam, or no turn of it, and why."""

import asyncio

import pytest
from discord import Permissions

from api.services import Services
from riffusion.discord_bot import messages
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.discord_bot.jam import service as jam_service
from riffusion.discord_bot.jam import voice_jam
from riffusion.errors import Blocked, QueueFull
from tests.api.conftest import Worker
from tests.discord_bot.conftest import StartBot, claimed
from tests.discord_bot.fake_discord import GUILD, OTHER_VOICE_CHANNEL, STAGE, VOICE_CHANNEL, FakeDiscord, until

pytestmark = pytest.mark.anyio
ALICE, BOB, CAROL = 11, 12, 13


async def refused(discord: FakeDiscord, *, by: int, prompt: str = "funk bassline") -> str:
    """The private reply to somebody who asks for a jam."""
    asked = await discord.command("jam", by=by, prompt=prompt)
    assert asked.is_private, asked.reply.content
    return asked.reply.content


async def test_where_it_can_not_play(bot: RiffusionBot, discord: FakeDiscord) -> None:
    assert await refused(discord, by=ALICE) == messages.JAM_NO_CHANNEL
    await discord.join(ALICE, STAGE)
    assert await refused(discord, by=ALICE) == messages.JAM_STAGE
    await discord.join(ALICE, OTHER_VOICE_CHANNEL)
    await discord.join(BOB, OTHER_VOICE_CHANNEL)
    assert await refused(discord, by=ALICE) == messages.JAM_CHANNEL_FULL
    assert discord.voice.channel is None


async def test_where_it_may_not_speak(discord: FakeDiscord, services: Services, start_bot: StartBot) -> None:
    discord.permissions = Permissions(view_channel=True, connect=True)
    await start_bot()
    await discord.join(ALICE)
    assert await refused(discord, by=ALICE) == messages.JAM_NOT_ALLOWED


async def test_jams_can_be_limited_and_switched_off(bot: RiffusionBot, discord: FakeDiscord) -> None:
    bot.jams._most = 0
    await discord.join(ALICE)
    assert await refused(discord, by=ALICE) == messages.JAM_SWITCHED_OFF
    bot.jams._most = 1
    bot.jams._jams[701] = None  # of another Discord server
    assert await refused(discord, by=ALICE) == messages.JAM_TOO_MANY


async def test_blocked_words(bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker) -> None:
    await discord.join(ALICE)
    assert await refused(discord, by=ALICE, prompt="a POLKA") == messages.BLOCKED
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    dialog = await discord.press(asked.reply, "Steer …", by=ALICE)
    steered = await discord.fill_in(dialog, "wet  noodle", by=ALICE)
    assert (steered.reply.content, steered.is_private) == (messages.BLOCKED, True)
    assert (await claimed(services, worker)).request["start"]["prompt"] == "funk bassline"


async def test_many_who_ask_at_once_get_one_jam(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker
) -> None:
    for person in (ALICE, BOB, CAROL):
        await discord.join(person)
    crowd = [discord.command("jam", by=person, prompt=f"funk {n}") for n in range(5) for person in (ALICE, BOB, CAROL)]
    asked = await asyncio.gather(*crowd)
    assert sorted(each.is_private for each in asked) == [False] + [True] * 14
    await claimed(services, worker)
    assert services.store.models.loads()[Worker.MODEL].waiting == 0
    assert discord.voice.connections == ["identify"]


async def test_turns_have_a_pause_between_them(bot: RiffusionBot, discord: FakeDiscord, services: Services) -> None:
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    assert await refused(discord, by=ALICE, prompt="church bells") == messages.JAM_JUST_STEERED


async def test_who_is_elsewhere_does_not_steer(
    bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jam_service, "PAUSE_S", 0)
    await discord.join(ALICE)
    await discord.join(BOB, OTHER_VOICE_CHANNEL)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    assert await refused(discord, by=BOB) == messages.jam_elsewhere(VOICE_CHANNEL)


async def test_a_jam_takes_a_place_in_its_owners_limit(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jam_service, "PAUSE_S", 0)
    await discord.join(ALICE)
    await discord.join(BOB)
    jam = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: jam.reply.buttons)
    assert not (await discord.command("riff", by=ALICE, prompt="funk")).is_private
    full = await discord.command("riff", by=ALICE, prompt="funk")
    assert full.reply.content == messages.user_limit_reached(2)
    await discord.command("jam", by=BOB, prompt="church bells")  # now it is Bob's
    assert not bot.service._limits.user_is_full(ALICE)
    assert not (await discord.command("riff", by=BOB, prompt="funk")).is_private
    assert bot.service._limits.user_is_full(BOB)
    assert bot.service._limits.guild_is_full(GUILD)


async def test_who_is_full_starts_and_steers_no_jam(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jam_service, "PAUSE_S", 0)
    await discord.join(ALICE)
    await discord.join(BOB)
    for _ in range(2):
        await discord.command("riff", by=ALICE, prompt="funk")
    assert await refused(discord, by=ALICE) == messages.user_limit_reached(2)
    jam = await discord.command("jam", by=BOB, prompt="funk bassline")
    await until(lambda: jam.reply.buttons)
    assert await refused(discord, by=ALICE) == messages.user_limit_reached(2)


async def test_a_voice_server_that_lets_no_one_in(
    bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jam_service, "CONNECT_S", 0.2)
    discord.voice.refuses = True
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.content == messages.JAM_CANNOT_JOIN)
    await until(lambda: not bot.jams._jams)
    assert not bot.service._limits._users


async def test_a_server_that_is_away(bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.client.AsyncClient.seeds", lambda _: raise_(QueueFull("away", retry_after=30)))
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: "Try again <t:" in asked.reply.content)
    assert discord.voice.channel is None
    assert not bot.jams._jams


async def test_a_jam_that_may_make_nothing_ends(
    bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riffusion.client.AsyncClient.submit", lambda *_, **__: raise_(Blocked("blocked")))
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: "accepts nothing from you" in asked.reply.content)
    await until(lambda: discord.voice.channel is None)


async def test_a_full_server_is_asked_again(
    bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice_jam, "RETRY", [0.1] * 100)
    with monkeypatch.context() as full:
        full.setattr("riffusion.client.AsyncClient.submit", lambda *_, **__: raise_(QueueFull("full", retry_after=0)))
        await discord.join(ALICE)
        asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
        await until(lambda: "accepts no more right now" in asked.reply.content)
    await claimed(services, worker)


async def test_a_bug_ends_it(bot: RiffusionBot, discord: FakeDiscord, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.client.AsyncClient.submit", lambda *_, **__: 1 / 0)
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.content == messages.BUG)


async def test_a_jam_that_is_ending_is_not_steered(bot: RiffusionBot, discord: FakeDiscord) -> None:
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    bot.jams._jams[GUILD].stop(messages.JAM_STOPPED)  # type: ignore[union-attr]
    assert await refused(discord, by=ALICE, prompt="church bells") == messages.JAM_STARTING


async def test_stop_without_a_jam(bot: RiffusionBot, discord: FakeDiscord) -> None:
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: asked.reply.buttons)
    buttons = list(asked.reply.components)
    await discord.press(asked.reply, "Stop", by=ALICE)
    await until(lambda: not bot.jams._jams)
    asked.reply.components = buttons  # as a person sees them who has not got the edit yet
    again = await discord.press(asked.reply, "Stop", by=ALICE)
    assert (again.reply.content, again.is_private) == (messages.JAM_NONE, True)
    assert await refused(discord, by=ALICE) == messages.JAM_STARTING  # nobody has it join and leave all day


def raise_(error: Exception) -> None:
    raise error
