"""From an interaction to a jam: start one, steer it, stop it; one in each Discord server at most."""

import asyncio
import contextlib
import math
import time
from typing import Any

import aiohttp
import discord
import structlog
from discord.channel import VocalGuildChannel

from riffusion.discord_bot import messages, reply
from riffusion.discord_bot.blocked_words import BlockedWords
from riffusion.discord_bot.jam.clip_maker import ClientFor, ClipMaker
from riffusion.discord_bot.jam.controls import jam_buttons
from riffusion.discord_bot.jam.voice_jam import VoiceJam
from riffusion.discord_bot.job_limits import JobLimits
from riffusion.errors import RiffusionError

CONNECT_S = 40.0  # for discord.py, which can take 30 s to notice that a socket of its own is closed
EDIT_S = 10.0  # for an edit of its message, which must not keep a jam from its end
PAUSE_S = 5.0  # between two turns of a jam, and between two jams in a Discord server

_log = structlog.get_logger()


class JamService:
    """Accepts what people ask of jams. A jam takes one place in the limits of its owner: who last steered it.

    Args:
        most: jams at the same time.
    """

    def __init__(
        self, bot: discord.Client, client_for: ClientFor, limits: JobLimits, blocked_words: BlockedWords, most: int
    ) -> None:
        self._bot = bot
        self._client_for = client_for
        self._limits = limits
        self._blocked_words = blocked_words
        self._most = most
        self._jams: dict[int, VoiceJam | None] = {}  # by Discord server; None while one starts
        self._ended_at: dict[int, float] = {}  # monotonic
        self._running: set[asyncio.Task[None]] = set()

    async def play(self, interaction: discord.Interaction[Any], prompt: str) -> None:
        """Starts a jam where the person is, or steers the one that plays there."""
        user, channel = interaction.user.id, _voice_channel(interaction)
        if self._blocked_words.found_in(prompt):
            refusal = messages.BLOCKED
        elif channel is None:
            refusal = messages.JAM_NO_CHANNEL
        elif jam := self._jams.get(channel.guild.id):
            refusal = self._refusal_to_steer(jam, user)
            if not refusal:
                self._steer(jam, prompt, user)
                await interaction.response.send_message(messages.jam_steered(prompt, user), view=jam_buttons())
                return
        elif not (refusal := self._refusal_to_start(channel, user)):
            await self._start(interaction, channel, prompt)
            return
        await interaction.response.send_message(refusal, ephemeral=True)

    async def stop(self, interaction: discord.Interaction[Any]) -> None:
        """Stops the jam, for those who listen to it and for its owner."""
        jam = self._jams.get(interaction.guild_id or 0)
        if jam is None:
            await interaction.response.send_message(messages.JAM_NONE, ephemeral=True)
        elif interaction.user.id not in {*jam.listeners(), jam.owner}:
            await interaction.response.send_message(messages.jam_elsewhere(jam.channel_id), ephemeral=True)
        else:
            jam.stop(messages.JAM_STOPPED)
            await interaction.response.defer()

    async def close(self) -> None:
        """Ends every jam; none is resumed at the next start."""
        for jam in self._jams.values():
            if jam:
                jam.stop(messages.JAM_RESTART)
        await asyncio.gather(*self._running, return_exceptions=True)

    def _refusal_to_start(self, channel: VocalGuildChannel, user: int) -> str:
        guild = channel.guild.id
        if not self._most:
            return messages.JAM_SWITCHED_OFF
        if guild in self._jams or time.monotonic() - self._ended_at.get(guild, -math.inf) < PAUSE_S:
            return messages.JAM_STARTING
        if len(self._jams) >= self._most:
            return messages.JAM_TOO_MANY
        if self._limits.user_is_full(user):
            return messages.user_limit_reached(self._limits.per_user)
        if self._limits.guild_is_full(guild):
            return messages.guild_limit_reached(self._limits.per_guild)
        return _refusal_of_channel(channel)

    def _refusal_to_steer(self, jam: VoiceJam, user: int) -> str:
        if jam.is_over:
            return messages.JAM_STARTING
        if user not in jam.listeners():
            return messages.jam_elsewhere(jam.channel_id)
        if time.monotonic() - jam.steered_at < PAUSE_S:
            return messages.JAM_JUST_STEERED
        if user != jam.owner and self._limits.user_is_full(user):
            return messages.user_limit_reached(self._limits.per_user)
        return ""

    def _steer(self, jam: VoiceJam, prompt: str, user: int) -> None:
        guild = jam.guild.id
        self._limits.leave(jam.owner, guild)
        self._limits.enter(user, guild)
        jam.turn_to(prompt, user)

    async def _start(self, interaction: discord.Interaction[Any], channel: VocalGuildChannel, prompt: str) -> None:
        """Starts a jam, and replies with it or with the reason why there is none."""
        user, guild = interaction.user.id, channel.guild.id
        self._jams[guild] = None
        self._limits.enter(user, guild)
        jam = None
        try:
            await interaction.response.defer(thinking=True)
            shown = await reply.original(interaction)
            jam = await self._join(interaction, channel, prompt)
        finally:
            if jam is None:
                self._forget(guild, user)
        if jam is not None:
            self._jams[guild] = jam
            task = asyncio.create_task(self._run(jam, shown))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _join(
        self, interaction: discord.Interaction[Any], channel: VocalGuildChannel, prompt: str
    ) -> VoiceJam | None:
        """Connects to a voice channel; None where that fails, and the reply gives the reason."""
        user = interaction.user.id
        try:
            seeds = await self._client_for(user).seeds()
            voice: discord.VoiceClient = await channel.connect(timeout=CONNECT_S, self_deaf=True)
        except RiffusionError as error:
            await interaction.edit_original_response(content=messages.explain(error))
        except (TimeoutError, discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.warning("voice channel not joined", channel=channel.id, reason=str(error) or type(error).__name__)
            await interaction.edit_original_response(content=messages.JAM_CANNOT_JOIN)
        else:
            return VoiceJam(voice, ClipMaker(self._client_for, seeds[0] if seeds else None), prompt, user)
        return None

    async def _run(self, jam: VoiceJam, shown: reply.OriginalReply) -> None:
        """Lets a jam play to its end."""
        guild = jam.guild.id

        async def show(text: str) -> None:
            await self._show(shown, text, jam)

        end = messages.BUG
        try:
            end = await jam.run(show)
        except Exception:
            _log.exception("jam failed", guild=guild)
        finally:
            self._forget(guild, jam.owner)
        with contextlib.suppress(discord.HTTPException, aiohttp.ClientError, OSError):
            async with asyncio.timeout(EDIT_S):
                await reply.edit(self._bot, shown, end)

    def _forget(self, guild: int, owner: int) -> None:
        del self._jams[guild]
        self._ended_at[guild] = time.monotonic()
        self._limits.leave(owner, guild)

    async def _show(self, shown: reply.OriginalReply, text: str, jam: VoiceJam) -> None:
        """Edits a jam's message. Who deletes it ends the jam."""
        try:
            async with asyncio.timeout(EDIT_S):
                await reply.edit(self._bot, shown, text, view=jam_buttons())
        except discord.NotFound:
            jam.stop(messages.JAM_STOPPED)
        except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
            _log.warning("jam's message not edited", reason=str(error))


def _refusal_of_channel(channel: VocalGuildChannel) -> str:
    allowed = channel.permissions_for(channel.guild.me)
    if not isinstance(channel, discord.VoiceChannel):
        return messages.JAM_STAGE
    if not (allowed.view_channel and allowed.connect and allowed.speak):
        return messages.JAM_NOT_ALLOWED
    is_full = channel.user_limit and len(channel.voice_states) >= channel.user_limit
    return messages.JAM_CHANNEL_FULL if is_full and not allowed.move_members else ""


def _voice_channel(interaction: discord.Interaction[Any]) -> VocalGuildChannel | None:
    """Where the person is."""
    state = interaction.user.voice if isinstance(interaction.user, discord.Member) else None
    return state.channel if state else None
