"""One jam: it makes clips, plays them in its voice channel, and knows when to end."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from functools import partial

import discord
import structlog

from riffusion.backoff import Backoff
from riffusion.discord_bot import messages
from riffusion.discord_bot.jam.bar_loop import BarLoop
from riffusion.discord_bot.jam.clip_maker import ClipMaker
from riffusion.discord_bot.jam.interpolation_path import InterpolationPath
from riffusion.discord_bot.jam.opus_stream import OpusStream
from riffusion.errors import Gone, NotFound, RequestError, RiffusionError, UnavailableError

AHEAD = 2  # clips that are ready to follow the one that plays
TICK_S = 0.25
SHOW_S = 2.0  # between two texts
EMPTY_S = 10.0  # for which nobody may listen: connections break for a moment
IDLE_S = 30 * 60.0  # for which a jam plays on after somebody last steered it
CLOSE_S = 5.0  # for which Discord may take to confirm that the bot has left
RETRY = Backoff(first_s=4.0, longest_s=60.0)

_log = structlog.get_logger()

Show = Callable[[str], Awaitable[None]]


class VoiceJam:
    """A jam in the channel that `voice` is connected to; one job of its is in flight at most.

    Args:
        owner: the user on whose behalf its clips are made.
        maker: makes its clips, and no other jam's.
    """

    def __init__(self, voice: discord.VoiceClient, maker: ClipMaker, prompt: str, owner: int) -> None:
        self.voice = voice
        self.guild = voice.guild
        self.owner = owner
        self.steered_at = time.monotonic()
        self._maker = maker
        self._prompt = prompt
        self._path = InterpolationPath(prompt)
        self._bars: BarLoop | None = None
        self._stream: OpusStream | None = None
        self._loop = asyncio.get_running_loop()
        self._wanted = asyncio.Event()
        self._one_job = asyncio.Lock()
        self._making = asyncio.create_task(self._make_clips())
        self._trouble = ""
        self._end = ""
        self._heard_at = time.monotonic()

    def turn_to(self, prompt: str, owner: int) -> None:
        """Discards what is ready, and turns to another prompt; its first clip takes over at the next bar line."""
        self.owner = owner
        self.steered_at = time.monotonic()
        self._prompt = prompt
        self._path.turn_to(prompt, self._bars.playing.position if self._bars else None)
        if self._bars:
            self._bars.discard()
        self._making.cancel()
        self._making = asyncio.create_task(self._make_clips())

    def stop(self, why: str) -> None:
        """Ends the jam, and lets `run` return why."""
        self._end = self._end or why

    async def run(self, show: Show) -> str:
        """Plays until nobody listens, nobody has steered for long, or it is stopped; returns why.

        Args:
            show: called with a text for people whenever there is something new to say.
        """
        shown, shown_at = "", -SHOW_S
        try:
            while not self._end:
                self._play()
                now = time.monotonic()
                if (text := self._state()) != shown and now - shown_at >= SHOW_S:
                    await show(text)
                    shown, shown_at = text, now
                await asyncio.sleep(TICK_S)
                self.stop(self._reason_to_end())
            return self._end
        finally:
            await self._close()

    @property
    def is_over(self) -> bool:
        """Whether it is being ended."""
        return bool(self._end)

    @property
    def channel_id(self) -> int:
        """The voice channel that it is in now: moderators may move it."""
        return self.voice.channel.id if self.voice.channel else 0

    def listeners(self) -> set[int]:
        """The people in the channel. A bot that Discord has not introduced counts as one."""
        channel = self.voice.channel
        if channel is None:  # it was moved to one that it can't see
            return set()
        members = {user: channel.guild.get_member(user) for user in channel.voice_states}
        me = self.voice.user.id
        return {user for user, member in members.items() if user != me and not (member and member.bot)}

    def _play(self) -> None:
        """Begins to play as soon as there is a clip; it then plays on by itself."""
        if self._bars and not self._stream and self.voice.is_connected():
            self._stream = OpusStream(self._bars.read)
            self.voice.play(self._stream, after=self._played)

    def _played(self, error: Exception | None) -> None:
        """Called by discord.py, in its own thread, when the playback has ended."""
        self._loop.call_soon_threadsafe(self._interrupted, error)

    def _interrupted(self, error: Exception | None) -> None:
        """Without its encoder the jam is over; without a connection it waits until discord.py has another."""
        if self.voice.is_connected():
            _log.warning("jam interrupted", reason=str(error))
            self.stop(messages.JAM_INTERRUPTED)
        self.voice.stop()  # discord.py takes an aborted playback for one that goes on
        self._stream = None

    def _reason_to_end(self) -> str:
        now = time.monotonic()
        if self.listeners():
            self._heard_at = now
        if now - self._heard_at > EMPTY_S:
            return messages.JAM_UNHEARD
        if now - self.steered_at > IDLE_S:
            return messages.JAM_IDLE
        if self.guild.voice_client is not self.voice:
            return messages.JAM_INTERRUPTED
        return ""

    def _state(self) -> str:
        """The text for people; it changes a few times for each prompt."""
        playing = self._bars.playing.position.prompts if self._bars else []
        if self._maker.is_away:
            trouble = messages.JAM_SERVER_AWAY
        elif playing:
            trouble = self._trouble
        else:
            trouble = self._trouble or (messages.progress(self._maker.job.data) if self._maker.job else "")
        return messages.jam(playing, self._prompt, trouble)

    async def _make_clips(self) -> None:
        """Makes clip after clip while fewer than `AHEAD` are ready."""
        async with self._one_job:  # until the task before this one has canceled its job
            while await self._make_next():
                while self._bars and len(self._bars.ready) >= AHEAD:
                    self._wanted.clear()
                    await self._wanted.wait()

    async def _make_next(self) -> bool:
        """Makes the next clip, however often that takes; False where another attempt would fail, too."""
        position = self._path.next()
        for pause in RETRY:
            try:
                clip = await self._maker.make(position, self.owner)
            except RiffusionError as error:
                self._trouble = messages.explain(error)
                if isinstance(error, RequestError) and not isinstance(error, NotFound | Gone):
                    if not self._bars:
                        self.stop(self._trouble)
                    return False  # the bars repeat until somebody steers
                await asyncio.sleep(max(pause, error.retry_after if isinstance(error, UnavailableError) else 0))
            except Exception:
                _log.exception("jam failed")
                self.stop(messages.BUG)
                return False
            else:
                break
        self._trouble = ""
        if self._bars:
            self._bars.ready.append(clip)
        else:
            taken = partial(self._loop.call_soon_threadsafe, self._wanted.set)
            self._bars = BarLoop(clip, self._maker.bars, taken)
        return True

    async def _close(self) -> None:
        self._making.cancel()
        await asyncio.wait([self._making])
        # Where Discord has dropped the connection already, it confirms nothing.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self.voice.disconnect(force=True)
        if self._stream:
            self._stream.cleanup()  # the thread that plays may be waiting for it
