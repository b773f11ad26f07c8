"""The jam as its listeners hear it: discord.py's own voice connection, to a server that decrypts what it sends."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import discord
import pytest

from api.services import Services
from riffusion.client import AsyncClient, AsyncJob
from riffusion.discord_bot import messages
from riffusion.discord_bot.bot import RiffusionBot
from riffusion.discord_bot.jam import clip_maker, voice_jam
from riffusion.discord_bot.jam import service as jam_service
from riffusion.discord_bot.jam.voice_jam import VoiceJam
from riffusion.requests import AnyRequest
from tests.api.conftest import Worker
from tests.conftest import ValkeyServer
from tests.discord_bot.conftest import claimed
from tests.discord_bot.fake_discord import GUILD, OTHER_VOICE_CHANNEL, VOICE_CHANNEL, Asked, FakeDiscord, until
from tests.discord_bot.fake_voice import SERVER_CRASHED, SESSION_INVALID
from tests.discord_bot.jam.jam_worker import BARS_S, LEVEL, JamWorker, pitch
from tests.discord_bot.jam.opus_judge import clicks, decode, levels, pitches

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
    monkeypatch.setattr(voice_jam, "CLOSE_S", 1)
    monkeypatch.setattr(jam_service, "PAUSE_S", 0)


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
    *, bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, end_users: list[str | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    play_at_once = VoiceJam._play

    def play_when_all_are_ready(jam: VoiceJam) -> None:  # or a busy machine would repeat bars
        if jam._bars and len(jam._bars.ready) == 4:
            play_at_once(jam)

    monkeypatch.setattr(voice_jam, "AHEAD", 4)
    monkeypatch.setattr(VoiceJam, "_play", play_when_all_are_ready)
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
    assert all(packet.secret for packet in sent)
    assert discord.voice.speaking[0] == 0
    assert 1 in discord.voice.speaking

    sound = decode(discord.voice.music)[: 4 * BARS * 960]
    level, tones = levels(sound), pitches(sound)
    assert level[1:].min() > LEVEL / 2**0.5 * 0.7  # nowhere silent, nor at the bar lines
    assert level.max() < LEVEL / 2**0.5 * 1.5  # a fade of equal power between two tones
    assert clicks(sound) < 0.0001
    for bars in range(4):
        inside = tones[bars * BARS + 3 : (bars + 1) * BARS - 3]
        assert abs(inside - pitch(bars)).max() <= 50, bars  # each clip is heard once, from bar line to bar line
    assert set(end_users) == {f"discord:{ALICE}"}
    assert {job.mode for job in jam_worker.made} == {"interpolate"}


async def test_bars_repeat_until_the_next_clip_is_ready(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, valkey: ValkeyServer
) -> None:
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    await until(lambda: jam_worker.made)
    jam_worker.awake = False
    await heard(discord, 2 * BARS)
    valkey.pause()  # the API is away
    try:
        await heard(discord, BARS)
        await until(lambda: messages.JAM_SERVER_AWAY in asked.reply.content)
        repeats = len(discord.voice.music) // BARS
    finally:
        valkey.resume()
    jam_worker.awake = True
    await heard(discord, 3 * BARS)
    sound = decode(discord.voice.music)
    tones = pitches(sound)
    assert abs(tones[3 : repeats * BARS] - pitch(0)).max() <= 50
    assert levels(sound)[1 : repeats * BARS].min() > LEVEL / 2**0.5 * 0.4  # a tone that fades into itself
    assert clicks(sound) < 0.0001  # nor where the bars begin again
    assert len(set(tones[(repeats + 1) * BARS :])) > 1  # it went on


async def test_listeners_steer(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, services: Services, end_users: list[str | None]
) -> None:
    asked = await jamming(discord)
    await discord.join(BOB)
    await until(lambda: len(jam_worker.made) == 3)  # one plays, two are ready
    await asyncio.sleep(0.2)
    assert len(jam_worker.made) == 3
    assert services.store.models.loads()[Worker.MODEL].waiting == 0
    dialog = await discord.press(asked.reply, "Steer …", by=BOB)
    steered = await discord.fill_in(dialog, "church bells", by=BOB)
    assert steered.reply.content == messages.jam_steered("church bells", BOB)
    await until(lambda: "takes over at a bar line" in asked.reply.content)
    await until(lambda: "♪ `funk bassline` → `church bells`" in asked.reply.content)
    number, job = next(
        (number, job) for number, job in enumerate(jam_worker.made) if job.request["end"]["prompt"] == "church bells"
    )
    assert job.request["start"]["prompt"] == "funk bassline"
    heard_before = [made.request[end]["seed"] for made in jam_worker.made[:number] for end in ("start", "end")]
    assert job.request["start"]["seed"] in heard_before  # from what was heard
    assert end_users[-1] == f"discord:{BOB}"
    await until(lambda: asked.reply.content == "♪ `church bells`")
    assert not bot.service._limits.user_is_full(ALICE)


@pytest.mark.parametrize("response_s", [0, 0.5])
async def test_what_is_being_made_is_dropped_for_another_prompt(
    *, bot: RiffusionBot, discord: FakeDiscord, services: Services, worker: Worker, response_s: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    submit = AsyncClient.submit

    async def submit_slowly(client: AsyncClient, request: AnyRequest) -> AsyncJob:
        job: AsyncJob = await submit(client, request)
        await asyncio.sleep(response_s)  # the jam turns before it knows the job
        return job

    monkeypatch.setattr(AsyncClient, "submit", submit_slowly)
    await discord.join(ALICE)
    asked = await discord.command("jam", by=ALICE, prompt="funk bassline")
    job = await claimed(services, worker)
    await until(lambda: response_s or "Starting" in asked.reply.content)
    await discord.command("jam", by=ALICE, prompt="church bells")
    await until(lambda: services.store.get(job.id).status == "canceled")
    turned = await claimed(services, worker)
    assert turned.request["start"]["prompt"] == turned.request["end"]["prompt"] == "church bells"


async def test_it_leaves_an_empty_channel(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await jamming(discord)
    await discord.join(99, bot=True)
    await discord.join(ALICE, OTHER_VOICE_CHANNEL)
    await heard(discord, 20)  # she may come back
    monkeypatch.setattr(voice_jam, "EMPTY_S", 0.1)
    await until(lambda: asked.reply.content == messages.JAM_UNHEARD)
    assert discord.voice.channel is None
    assert not asked.reply.buttons
    assert not bot.service._limits.user_is_full(ALICE)
    assert not bot.jams._jams


async def test_it_ends_when_nobody_steers(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await jamming(discord)
    monkeypatch.setattr(voice_jam, "IDLE_S", 0.1)
    await until(lambda: asked.reply.content == messages.JAM_IDLE)


async def test_only_listeners_stop_it(bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker) -> None:
    asked = await jamming(discord)
    refused = await discord.press(asked.reply, "Stop", by=CAROL)
    assert (refused.reply.content, refused.is_private) == (messages.jam_elsewhere(VOICE_CHANNEL), True)
    await discord.join(BOB)
    await discord.press(asked.reply, "Stop", by=BOB)
    await until(lambda: asked.reply.content == messages.JAM_STOPPED)
    assert (await jamming(discord)).reply is not asked.reply  # and another can start


async def test_who_deletes_its_message_stops_it(bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker) -> None:
    asked = await jamming(discord)
    asked.reply.deleted = True
    await discord.command("jam", by=ALICE, prompt="church bells")  # so that there is something to show
    await until(lambda: not bot.jams._jams)


async def test_a_moderator_moves_it_and_throws_it_out(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker
) -> None:
    asked = await jamming(discord)
    await discord.join(ALICE, OTHER_VOICE_CHANNEL)
    await discord.voice.move(OTHER_VOICE_CHANNEL)
    await heard(discord, 20)
    assert bot.jams._jams[GUILD].channel_id == OTHER_VOICE_CHANNEL  # type: ignore[union-attr]
    await discord.voice.move(None)
    await until(lambda: asked.reply.content == messages.JAM_INTERRUPTED)
    await until(lambda: not bot.jams._jams)
    assert not bot.service._limits.user_is_full(ALICE)


async def test_it_plays_on_when_the_voice_server_hangs_up(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("discord.backoff.ExponentialBackoff.delay", lambda _: 0.1)
    await jamming(discord)
    await discord.voice.hang_up(SESSION_INVALID)
    await until(lambda: len(discord.voice.connections) == 2)
    await heard(discord, BARS)
    sound = decode(discord.voice.music)
    assert levels(sound)[1:].min() > LEVEL / 2**0.5 * 0.7


async def test_it_plays_on_when_the_voice_server_crashes(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker
) -> None:
    await jamming(discord)
    discord.voice.moves_first = True
    await discord.voice.hang_up(SERVER_CRASHED)
    await until(lambda: discord.voice.connections == ["identify", "resume"])
    await heard(discord, 20)


async def test_it_plays_on_at_another_voice_server(
    bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker
) -> None:
    await jamming(discord)
    await discord.voice.send_server()
    await until(lambda: len(discord.voice.connections) == 2)
    await heard(discord, BARS)


async def test_it_ends_with_the_bots_session(bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker) -> None:
    asked = await jamming(discord)
    await discord.end_session()
    await until(lambda: asked.reply.content == messages.JAM_INTERRUPTED)
    assert discord.voice.connected == 0
    assert (await jamming(discord)).reply is not asked.reply


async def test_a_dead_encoder_ends_it(bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker) -> None:
    asked = await jamming(discord)
    jam = bot.jams._jams[GUILD]
    assert jam is not None
    assert jam._stream is not None
    jam._stream._encoder.kill()
    await until(lambda: asked.reply.content == messages.JAM_INTERRUPTED)
    await until(lambda: discord.voice.channel is None)


async def test_a_bot_that_stops_says_so(bot: RiffusionBot, discord: FakeDiscord, jam_worker: JamWorker) -> None:
    asked = await jamming(discord)
    await bot.close()
    assert asked.reply.content == messages.JAM_RESTART
    assert discord.voice.channel is None
