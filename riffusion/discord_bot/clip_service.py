"""From an interaction to its clip: accept the request, submit it, follow its job, post what it made.

Submitting is idempotent, and so is everything after it. A request that Discord, the API or the end of this process
interrupted is therefore simply started again, until it has its reply.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import aiohttp
import discord
import structlog

from riffusion.client import AsyncClient, AsyncJob
from riffusion.discord_bot import messages, reply
from riffusion.discord_bot.blocked_words import BlockedWords
from riffusion.discord_bot.buttons import cancel_button, clip_buttons
from riffusion.discord_bot.job_limits import JobLimits
from riffusion.discord_bot.pending_requests import PendingRequest, PendingRequestStore
from riffusion.errors import RiffusionError, UnavailableError
from riffusion.requests import AnyRequest

UPDATE_S = 2.0  # between two edits of a message, and between two polls of a job
RETRY_S = 20.0  # until a request that Discord or the API interrupted is started again

_log = structlog.get_logger()

# Makes a request, after the uploads and queries that it needs.
RequestFactory = Callable[[AsyncClient], Awaitable[AnyRequest]]


class ClipService:
    """Accepts requests from interactions and processes each until it has its reply."""

    def __init__(
        self,
        bot: discord.Client,
        api: AsyncClient,
        store: PendingRequestStore,
        limits: JobLimits,
        blocked_words: BlockedWords,
    ) -> None:
        self._api = api
        self._bot = bot
        self._store = store
        self._limits = limits
        self._blocked_words = blocked_words
        self._running: set[asyncio.Task[None]] = set()

    def api_for(self, user: int) -> AsyncClient:
        """The API on behalf of a Discord user, so that limits and fairness are per person."""
        return self._api.for_end_user(f"discord:{user}")

    async def submit(
        self, interaction: discord.Interaction[Any], texts: Sequence[str], make_request: RequestFactory
    ) -> None:
        """Replies to an interaction with a clip, or with the reason why there is none.

        Args:
            texts: what the person wrote, to be searched for blocked words.
        """
        user, guild = interaction.user.id, interaction.guild_id
        if refusal := self._refusal(user, guild, texts):
            await interaction.response.send_message(refusal, ephemeral=True)
            return
        self._limits.enter(user, guild)
        pending = None
        try:
            pending = await self._accept(interaction, make_request)
        finally:
            if pending is None:
                self._limits.leave(user, guild)
        if pending is not None:
            self._start(pending, is_new=True)

    def resume(self) -> None:
        """Starts the requests that were pending when the bot last ended."""
        for pending in self._store.all():
            self._limits.enter(pending.user, pending.guild)
            self._start(pending, is_new=False)

    async def close(self) -> None:
        """Stops processing; what is pending stays in the store."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._store.close()
        await self._api.close()

    def _refusal(self, user: int, guild: int | None, texts: Sequence[str]) -> str | None:
        if any(self._blocked_words.found_in(text) for text in texts):
            return messages.BLOCKED
        if self._limits.user_is_full(user):
            return messages.user_limit_reached(self._limits.per_user)
        if self._limits.guild_is_full(guild):
            return messages.guild_limit_reached(self._limits.per_guild)
        return None

    async def _accept(
        self, interaction: discord.Interaction[Any], make_request: RequestFactory
    ) -> PendingRequest | None:
        """Makes and stores a request; None where that fails, and the reply gives the reason."""
        asked_at = time.time()
        await interaction.response.defer(thinking=True)
        try:
            request = await make_request(self.api_for(interaction.user.id))
        except RiffusionError as error:
            await interaction.edit_original_response(content=messages.explain(error))
            return None
        except Exception:
            await interaction.edit_original_response(content=messages.BUG)
            raise
        message = await interaction.original_response()
        pending = PendingRequest(
            id=f"discord-{interaction.id}", request=request, user=interaction.user.id, guild=interaction.guild_id,
            channel=message.channel.id, message=message.id, token=interaction.token, asked_at=asked_at,
            file_limit=interaction.filesize_limit,
        )  # fmt: skip
        self._store.add(pending)
        return pending

    def _start(self, pending: PendingRequest, *, is_new: bool) -> None:
        task = asyncio.create_task(self._process(pending, is_new))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _process(self, pending: PendingRequest, is_new: bool) -> None:
        """Attempts a request until it has its reply, or can't have one."""
        while True:
            try:
                await self._attempt(pending, is_new)
            except (UnavailableError, discord.DiscordServerError, aiohttp.ClientConnectionError) as error:
                _log.warning("request interrupted", request=pending.id, reason=str(error))
                is_new = False
                await asyncio.sleep(RETRY_S)
            except discord.HTTPException as error:
                _log.warning("reply refused by Discord", request=pending.id, reason=str(error))
                break
            except Exception:
                _log.exception("request failed", request=pending.id)
                with contextlib.suppress(discord.HTTPException, aiohttp.ClientError):
                    await reply.edit(self._bot, pending, messages.BUG)
                break
            else:
                break
        self._store.remove(pending)
        self._limits.leave(pending.user, pending.guild)

    async def _attempt(self, pending: PendingRequest, is_new: bool) -> None:
        """One attempt at a request, from its submission to its reply.

        Args:
            is_new: the person has just sent it: if the API is away, the reply says so at once.

        Raises:
            UnavailableError, discord.DiscordServerError, aiohttp.ClientConnectionError: another attempt may succeed.
            discord.HTTPException: the reply can't be edited.
        """
        try:
            job = await self.api_for(pending.user).submit(pending.request, idempotency_key=pending.id)
        except RiffusionError as error:
            if isinstance(error, UnavailableError) and not is_new:
                raise
            await reply.edit(self._bot, pending, messages.explain(error))
            return
        try:
            await self._show(pending, job)
        except discord.NotFound:  # the reply was deleted, so the clip would have no place
            await _discard(job)

    async def _show(self, pending: PendingRequest, job: AsyncJob) -> None:
        """Shows a job's progress, then its clip or why there is none. Raises as `_attempt`."""
        try:
            await self._show_progress(pending, job)
            if job.error is None:
                await self._post_clip(pending, job)
                return
            reason = job.error
        except UnavailableError:
            raise
        except RiffusionError as error:  # the job was deleted
            reason = error
        content = f"{messages.title(job.data.request, pending.user)}\n{messages.explain(reason)}"
        await reply.edit(self._bot, pending, content)

    async def _show_progress(self, pending: PendingRequest, job: AsyncJob) -> None:
        """Shows the state of a job until it ends. Raises what `AsyncJob.refresh` does, apart from UnavailableError."""
        title = messages.title(job.data.request, pending.user)
        shown, now = "", messages.progress(job.data)
        while not job.ended:
            if now != shown:
                await reply.edit(self._bot, pending, f"{title}\n{now}", view=cancel_button(job.id, pending.user))
                shown = now
            await asyncio.sleep(UPDATE_S)
            try:
                await job.refresh()
            except UnavailableError:
                now = messages.SERVER_AWAY
            else:
                now = "" if job.ended else messages.progress(job.data)

    async def _post_clip(self, pending: PendingRequest, job: AsyncJob) -> None:
        """Posts what a job made. Raises what `AsyncFile.read` does."""
        content = messages.clip(job.data, pending.user)
        if job.result.audio.bytes > pending.file_limit:
            content += f"\n{messages.too_large(job.audio.url)}"
            files = []
        else:  # in memory: an upload to Discord may have to be repeated
            stem = f"{job.data.mode}-{job.id[:8]}"
            files = [discord.File(await file.open(), f"{stem}.{file.format}") for file in (job.audio, job.image)]
        await reply.edit(self._bot, pending, content, view=clip_buttons(job.id, pending.user), files=files)


async def _discard(job: AsyncJob) -> None:
    try:
        await job.delete()
    except RiffusionError as error:
        _log.info("job not deleted", job=job.id, reason=str(error))
