"""The tools of the MCP server, each a call or two of the client."""

from collections.abc import Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any

import anyio
from mcp.server.mcpserver import Context, Image, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

from riffusion import __version__
from riffusion.client import AsyncClient, AsyncJob
from riffusion.errors import RiffusionError
from riffusion.geometry import COLUMNS_PER_S, MAX_WIDTH, MIN_WIDTH, WIDTH_STEP
from riffusion.requests.fields import Quality

INSTRUCTIONS = (
    "Makes short clips of instrumental music from text. A clip has an id, by which the other tools name it, and is "
    "saved as a file for the user: say where it is. Prompts that name an instrument, a genre or a mood work best. "
    "To hear what was made, look at it: the picture is the sound."
)
PICTURE = (
    "The spectrogram of {seconds:g} s: time goes from left to right, pitch from low at the bottom to high at the top, "
    "and dark is loud. Beats are upright lines, tones are level ones. It was asked for with: {request}"
)
CANCEL_S = 5.0
"""For which a job is tried to be canceled whose tool call was."""

ClipId = Annotated[str, Field(description="The id of a clip that was made before.")]
Prompt = Annotated[str, Field(description="What to play, such as: funk bassline with a jazzy saxophone solo.")]


class Clip(BaseModel):
    """A clip that was made."""

    id: str = Field(description="By which other tools name it.")
    file: str = Field(description="Where its sound is saved on this machine.")
    url: str = Field(description="A link to its sound, for an hour or so.")
    seconds: float
    warnings: list[str]


class Tools:
    """What assistants can do.

    Args:
        folder: where clips are saved.
    """

    def __init__(self, client: AsyncClient, folder: Path) -> None:
        self._client = client
        self._folder = folder

    async def make_music(
        self,
        prompt: Prompt,
        context: Context,
        *,
        seconds: Annotated[
            float, Field(ge=MIN_WIDTH / COLUMNS_PER_S, le=MAX_WIDTH / COLUMNS_PER_S, description="About how long.")
        ] = 5,
        avoid: Annotated[str, Field(description="What it should not sound like.")] = "",
        seed: Annotated[int | None, Field(description="The same seed and prompt make the same clip.")] = None,
        quality: Annotated[Quality, Field(description="fast takes least time, best most.")] = "standard",
    ) -> Clip:
        """Makes a clip of music from a prompt. A longer one is better made short and extended."""
        request = {
            "mode": "text-to-audio",
            "prompt": prompt,
            "negative_prompt": avoid,
            "seed": seed,
            "quality": quality,
            "width": WIDTH_STEP * round(seconds * COLUMNS_PER_S / WIDTH_STEP),
        }
        return await self._make(request, context)

    async def look(self, clip: ClipId) -> list[Image | str]:
        """Shows the picture of a clip, its spectrogram, which shows what it sounds like."""
        with _problems():
            job = await self._client.job(clip)
            seconds = job.result.audio.duration_s
            picture = await job.image.read()
        request = {name: value for name, value in job.data.request.items() if value is not None}
        return [Image(data=picture, format="png"), PICTURE.format(seconds=seconds, request=request)]

    async def extend(
        self,
        clip: ClipId,
        context: Context,
        *,
        seconds: Annotated[float, Field(gt=0, le=120, description="How much to add.")] = 5,
        prompt: Annotated[str, Field(description="How it goes on; left out, as it was.")] = "",
    ) -> Clip:
        """Makes a new clip that begins as another one and goes on for some seconds."""
        request = {
            "mode": "extend",
            "init": {"job": clip},
            "prompt": prompt or await self._prompt_of(clip),
            "seconds": seconds,
        }
        return await self._make(request, context)

    async def blend(
        self,
        first: ClipId,
        second: ClipId,
        context: Context,
        *,
        alpha: Annotated[float, Field(ge=0, le=1, description="How much of the second: 0 is the first.")] = 0.5,
        clips: Annotated[
            int | None,
            Field(
                ge=2, le=64, description="Instead of one clip between them: in how many to go from one to the other."
            ),
        ] = None,
    ) -> Clip:
        """Makes a new clip that lies between two others, or that goes from the first to the second."""
        start, end = [{"init": {"job": clip}, "prompt": await self._prompt_of(clip)} for clip in (first, second)]
        where = {"alpha": alpha} if clips is None else {"clips": clips}
        return await self._make({"mode": "crossfade", "start": start, "end": end, **where}, context)

    async def _make(self, request: Mapping[str, Any], context: Context) -> Clip:
        with _problems():
            job = await self._client.submit(request)
            try:
                await _report(job, context)
                await job.wait()
            except BaseException:  # the call was canceled, and nobody else knows the job
                with anyio.move_on_after(CANCEL_S, shield=True), suppress(RiffusionError):
                    await job.cancel()
                raise
            saved = await job.download(self._folder)
        sound = job.result.audio
        return Clip(
            id=job.id, file=str(saved.audio), url=sound.url, seconds=sound.duration_s, warnings=job.data.warnings
        )

    async def _prompt_of(self, clip: str) -> str:
        """What a clip was asked for with; of one between two prompts, the second."""
        with _problems():
            request = (await self._client.job(clip)).data.request
        return str(request.get("prompt") or request.get("end", {}).get("prompt") or "")


def build(client: AsyncClient, folder: Path) -> MCPServer:
    """The server."""
    server = MCPServer("riffusion", instructions=INSTRUCTIONS, version=__version__, log_level="WARNING")
    tools = Tools(client, folder)
    server.add_tool(tools.look, annotations=ToolAnnotations(read_only_hint=True))
    for tool in (tools.make_music, tools.extend, tools.blend):
        server.add_tool(tool, annotations=ToolAnnotations(destructive_hint=False))
    return server


async def _report(job: AsyncJob, context: Context) -> None:
    async with aclosing(job.events()) as events:
        async for event in events:
            if progress := event.data.progress:
                await context.report_progress(progress.step, progress.total)


@contextmanager
def _problems() -> Iterator[None]:
    """Lets the assistant read what went wrong."""
    try:
        yield
    except RiffusionError as error:
        raise ToolError(str(error)) from error
