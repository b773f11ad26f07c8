"""The clips of a jam, made one after the other by the API."""

import asyncio
import contextlib
import math
from collections.abc import Callable

import structlog

from riffusion.client import AsyncClient, AsyncJob
from riffusion.client.models import SeedPicture
from riffusion.discord_bot.jam.bar_loop import FADE_FRAMES, RATE, Clip, fit
from riffusion.discord_bot.jam.interpolation_path import Position
from riffusion.discord_bot.jam.opus_stream import decode
from riffusion.errors import RiffusionError, UnavailableError
from riffusion.geometry import CLIP_COLUMNS, COLUMNS_PER_S
from riffusion.requests import SeedImage
from riffusion.requests.modes.interpolate import Interpolate

POLL_S = 0.4

ClientFor = Callable[[int], AsyncClient]
"""The API's client on behalf of a Discord user."""

_log = structlog.get_logger()


class ClipMaker:
    """Makes clips of equally many bars, all on the same beat.

    Args:
        seed: one of the API's seed images; None where it has none.
    """

    def __init__(self, client_for: ClientFor, seed: SeedPicture | None) -> None:
        self._client_for = client_for
        self._init = SeedImage(seed_image=seed.name) if seed else None
        period = seed.bars * seed.beats_per_bar * 60 / seed.bpm if seed else CLIP_COLUMNS / COLUMNS_PER_S
        self.bars = seed.bars if seed else 2
        """Of each clip."""
        self._frames = round(period * RATE)
        self.job: AsyncJob | None = None
        """The job of the clip that is being made."""
        self.is_away = False
        """Whether the API doesn't say how that job is doing."""

    async def make(self, position: Position, user: int) -> Clip:
        """A clip, made on behalf of a user. When it is canceled, so is its job.

        Raises:
            RiffusionError: why there is none.
        """
        request = Interpolate(
            start=position.start, end=position.end, alpha=position.alpha, init=self._init,
            quality="fast",  # it must take less time to make than to play
            format="flac",  # exactly as long as its bars
        )  # fmt: skip
        job = await self._submit(self._client_for(user), request)
        try:
            await self._wait(job)
        except asyncio.CancelledError:
            await self._cancel(job)
            raise
        if job.error:
            raise job.error
        sound = await job.audio.read()
        bars, beyond = await asyncio.to_thread(self._decode, sound, job.result.audio.channels)
        return Clip(bars, beyond, position)

    async def _wait(self, job: AsyncJob) -> None:
        """Waits until a job has ended, however long the API is away meanwhile."""
        self.job = job
        try:
            while not job.ended:
                await asyncio.sleep(POLL_S)
                try:
                    await job.refresh()
                except UnavailableError:
                    self.is_away = True
                else:
                    self.is_away = False
        finally:
            self.job, self.is_away = None, False

    async def _submit(self, client: AsyncClient, request: Interpolate) -> AsyncJob:
        """Submits a request. Canceled meanwhile, it waits for the job first, which it would otherwise not know."""
        submission = asyncio.ensure_future(client.submit(request))
        try:
            return await asyncio.shield(submission)
        except asyncio.CancelledError:
            with contextlib.suppress(RiffusionError):
                await self._cancel(await submission)
            raise

    async def _cancel(self, job: AsyncJob) -> None:
        try:
            await job.cancel()
        except RiffusionError as error:
            _log.info("job not canceled", job=job.id, reason=str(error))

    def _decode(self, sound: bytes, channels: int) -> tuple[bytes, bytes]:
        return fit(decode(sound, channels, math.ceil((self._frames + FADE_FRAMES) / RATE)), self._frames)
