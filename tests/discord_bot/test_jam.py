"""The jam as its listeners hear it: discord.py's own voice connection, to a server that decrypts what it sends."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import discord
import pytest

from api.services import Services
from riffusion.discord_bot import messages
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.discord_bot.jam import clip_maker, voice_jam
from riffusion.discord_bot.jam import service as jam_service
from tests.api.conftest import Worker
from tests.discord_bot.fake_discord import OTHER_VOICE_CHANNEL, VOICE_CHANNEL, Asked, FakeDiscord, until
from tests.discord_bot.jam_worker import BARS_S, LEVEL, JamWorker, pitch
from tests.discord_bot.opus_judge import clicks, decode, levels, pitches

pytestmark = pytest.mark.anyio
ALICE, BOB, CAROL = 11, 12, 13
FASTER = 8  # than music plays, so that bars don't take a test's time
BARS = round(BARS_S * 50)  # packets


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord.player.AudioPlayer, "DELAY", 0.02 / FASTER)
    monkeypatch.setattr(clip_maker, "POLL_S", 0.02)
    monkeypatch.setattr(voice_jam, "TICK_S", 0.02)
    monkeypatch.setattr(voice_jam, "SHOW_S", 0.05)
    monkeypatch.setattr(jam_service, "STEER_PAUSE_S", 0)


@pytest.fixture
async def jam_worker(services: Services, worker: Worker) -> AsyncIterator[JamWorker]:
    found = JamWorker(services)
    task = asyncio.create_task(found.run())
    yield found
    task.cancel()


async def heard(discord: FakeDiscord, packets: int) -> None:
    """Waits for so many more packets of music."""
    wanted = len(discord.voice.music) + packets
    await until(lambda: len(discord.voice.music) >= wanted)


async def jamming(discord: FakeDiscord, *, by: int = ALICE, prompt: str = "funk bassline") -> Asked:
    """A jam that plays, in the channel that its owner has joined."""
    await discord.join(by)
    asked = await discord.command("jam", by=by, prompt=prompt)
    await heard(discord, 5)
    return asked


async def test_bars_follow_each_other_without_a_gap(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, end_users: list[str | None]
) -> None:
    asked = await jamming(discord)
    assert discord.voice.channel == VOICE_CHANNEL
    await until(lambda: "♪ `funk bassline`" in asked.reply.content)
    await heard(discord, 4 * BARS)
    await discord.press(asked.reply, "Stop", by=ALICE)
    await until(lambda: asked.reply.content == messages.JAM_STOPPED)
    await until(lambda: discord.voice.channel is None)
    sent = [packet for packet in discord.voice.packets if packet.opus in set(discord.voice.music)]
    assert {later.sequence - earlier.sequence for earlier, later in pairwise(sent)} == {1}
    assert {later.timestamp - earlier.timestamp for earlier, later in pairwise(sent)} == {960}
    assert discord.voice.speaking[0] == 0
    assert 1 in discord.voice.speaking

    sound = decode(discord.voice.music)[: 4 * BARS * 960]
    level, tones = levels(sound), pitches(sound)
    assert level[1:].min() > LEVEL / 2**0.5 * 0.7  # nowhere silent, nor at the bar lines
    assert level.max() < LEVEL / 2**0.5 * 1.5  # a fade of equal power between two tones
    assert clicks(sound) < 0.001
    for bars in range(4):
        inside = tones[bars * BARS + 3 : (bars + 1) * BARS - 3]
        assert abs(inside - pitch(bars)).max() <= 50, bars  # each clip is heard once, from bar line to bar line
    assert set(end_users) == {f"discord:{ALICE}"}
    assert {job.mode for job in jam_worker.made} == {"interpolate"}
