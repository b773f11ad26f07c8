"""Where orders are taken and clips are handed out.

Submitting is idempotent and so is everything after it. An order that something got in the way of, be it Discord, the
API or the end of this process, is therefore simply begun again, and ends when it was answered.
"""

import asyncio
import contextlib
import io
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import discord
import structlog

from riffusion.client import Client, Job
from riffusion.client.transport import job_error
from riffusion.discord_bot import messages, reply
from riffusion.discord_bot.async_client import Server
from riffusion.discord_bot.blocked_words import BlockedWords
from riffusion.discord_bot.buttons import cancel_button, clip_buttons
from riffusion.discord_bot.job_limits import Limits
from riffusion.discord_bot.pending_requests import Order, OrderBook
from riffusion.errors import RiffusionError, UnavailableError
from riffusion.requests import AnyRequest

PACE_S = 2.0  # between two edits of a message, and two looks at a job
AGAIN_S = 20.0  # until an order is begun again that Discord or the API got in the way of

_log = structlog.get_logger()

# Makes the request of an order, which may take files or questions to the server.
Wish = Callable[[Client], Awaitable[AnyRequest]]


class Desk:
    """Takes orders from interactions, and sees each through until it is answered."""

    def __init__(self, bot: discord.Client, server: Server, book: OrderBook, limits: Limits, blocked: BlockedWords):
        self.server = server
        self._bot = bot
        self._book = book
        self._limits = limits
        self._blocked = blocked
        self._running: set[asyncio.Task[None]] = set()

    async def take(self, interaction: discord.Interaction[Any], texts: Sequence[str], wish: Wish) -> None:
        """Answers an interaction with a clip, or with the reason why not.

        Args:
            texts: what the person wrote, to be looked through for blocked words.
        """
        user, guild = interaction.user.id, interaction.guild_id
        if refusal := self._refusal(user, guild, texts):
            await interaction.response.send_message(refusal, ephemeral=True)
            return
        self._limits.enter(user, guild)
        order = None
        try:
            order = await self._order(interaction, wish)
        finally:
            if order is None:
                self._limits.leave(user, guild)
        if order is not None:
            self._begin(order, fresh=True)

    def resume(self) -> None:
        """Goes on with what was open when the bot last ended."""
        for order in self._book.all():
            self._limits.enter(order.user, order.guild)
            self._begin(order, fresh=False)

    async def close(self) -> None:
        """Stops following orders; they stay in the book."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._book.close()
        self.server.close()

    def _refusal(self, user: int, guild: int | None, texts: Sequence[str]) -> str | None:
        if any(self._blocked.found_in(text) for text in texts):
            return messages.BLOCKED
        if self._limits.user_is_full(user):
            return messages.too_many_of_yours(self._limits.per_user)
        if self._limits.guild_is_full(guild):
            return messages.too_many_here(self._limits.per_guild)
        return None

    async def _order(self, interaction: discord.Interaction[Any], wish: Wish) -> Order | None:
        """Writes an order down; None when it can't be one and the person has been told."""
        asked_at = time.time()
        await interaction.response.defer(thinking=True)
        try:
            request = await wish(self.server.client(interaction.user.id))
        except RiffusionError as error:
            await interaction.edit_original_response(content=messages.sorry(error))
            return None
        except Exception:
            await interaction.edit_original_response(content=messages.BUG)
            raise
        answer = await interaction.original_response()
        order = Order(
            id=f"discord-{interaction.id}", request=request, user=interaction.user.id, guild=interaction.guild_id,
            channel=answer.channel.id, message=answer.id, token=interaction.token, asked_at=asked_at,
            file_limit=interaction.filesize_limit,
        )  # fmt: skip
        self._book.add(order)
        return order

    def _begin(self, order: Order, *, fresh: bool) -> None:
        task = asyncio.create_task(self._see_through(order, fresh))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _see_through(self, order: Order, fresh: bool) -> None:
        while True:
            try:
                await self._deliver(order, fresh)
            except (UnavailableError, discord.DiscordServerError, aiohttp.ClientConnectionError) as error:
                _log.warning("order_waits", order=order.id, error=str(error))
                fresh = False
                await asyncio.sleep(AGAIN_S)
            except discord.HTTPException as error:
                _log.warning("order_can_not_be_answered", order=order.id, error=str(error))
                break
            except Exception:
                _log.exception("order_failed", order=order.id)
                with contextlib.suppress(discord.HTTPException, aiohttp.ClientError):
                    await reply.edit(self._bot, order, messages.BUG)
                break
            else:
                break
        self._book.remove(order)
        self._limits.leave(order.user, order.guild)

    async def _deliver(self, order: Order, fresh: bool) -> None:
        """One attempt at an order, from the start.

        Args:
            fresh: somebody waits for a first sign, and is better told at once that the server is away.

        Raises:
            UnavailableError, discord.DiscordServerError, aiohttp.ClientConnectionError: worth another attempt.
            discord.HTTPException: the answer can't be written.
        """
        try:
            job = await self.server.call(self.server.client(order.user).submit, order.request, order.id)
        except RiffusionError as error:
            if isinstance(error, UnavailableError) and not fresh:
                raise
            await reply.edit(self._bot, order, messages.sorry(error))
            return
        try:
            await self._serve(order, job)
        except discord.NotFound:  # the answer was deleted: nobody would hear the clip
            await self.server.call(_discard, job)

    async def _serve(self, order: Order, job: Job) -> None:
        """Shows how a job goes on and what became of it. Raises as `_deliver`."""
        try:
            await self._follow(order, job)
            if job.status == "succeeded":
                await self._hand_out(order, job)
                return
            reason = job_error(job.data["error"])
        except UnavailableError:
            raise
        except RiffusionError as error:  # the job was deleted
            reason = error
        content = f"{messages.title(job.data['request'], order.user)}\n{messages.sorry(reason)}"
        await reply.edit(self._bot, order, content)

    async def _follow(self, order: Order, job: Job) -> None:
        """Shows where a job stands until it ends. Raises what `Job.refresh` does, apart from UnavailableError."""
        title = messages.title(job.data["request"], order.user)
        shown, now = "", messages.progress(job.data)
        while not job.ended:
            if now != shown:
                await reply.edit(self._bot, order, f"{title}\n{now}", view=cancel_button(job.id, order.user))
                shown = now
            await asyncio.sleep(PACE_S)
            try:
                await self.server.call(job.refresh)
            except UnavailableError:
                now = messages.SERVER_AWAY
            else:
                now = "" if job.ended else messages.progress(job.data)

    async def _hand_out(self, order: Order, job: Job) -> None:
        """Posts what a job made. Raises what `Job.download` does."""
        content = messages.clip(job.data, order.user)
        if job.data["result"]["audio"]["bytes"] > order.file_limit:
            content += f"\n{messages.too_large(job.data['result']['audio']['url'])}"
            files = []
        else:
            files = await self.server.call(_download, job)
        await reply.edit(self._bot, order, content, view=clip_buttons(job.id, order.user), files=files)


def _download(job: Job) -> list[discord.File]:
    """The sound and its spectrogram, in memory: Discord may have to be sent them twice."""
    with tempfile.TemporaryDirectory(prefix="riffusion-") as folder:
        saved = job.download(folder, f"{job.data['mode']}-{job.id[:8]}")
        return [_file(saved.audio), _file(saved.image)]


def _file(path: Path) -> discord.File:
    return discord.File(io.BytesIO(path.read_bytes()), path.name)


def _discard(job: Job) -> None:
    try:
        job.delete()
    except RiffusionError as error:
        _log.info("job_not_deleted", job=job.id, error=str(error))
