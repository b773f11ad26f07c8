"""What the tools make, and what they say when they can't."""

import asyncio
from pathlib import Path

import anyio
import pytest

from riffusion.client import Client as ApiClient
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.conftest import wait_until
from tests.mcp_server.conftest import Connect, call, text


def test_clips_are_extended_and_blended(connect: Connect, url: str) -> None:
    async def play() -> None:
        async with connect() as client:
            first = await call(client, "make_music", prompt="0", seconds=3, seed=7, avoid="drums", quality="fast")
            longer = await call(client, "extend", clip=first["id"], seconds=1)
            changed = await call(client, "extend", clip=first["id"], prompt="bells")
            between = await call(client, "blend", first=first["id"], second=longer["id"])
            across = await call(client, "blend", first=first["id"], second=changed["id"], clips=3)
        assert Path(first["file"]).read_bytes() == b"sound"
        jobs = ApiClient(url)
        made, long, other, blend, way = (
            jobs.job(clip["id"]).data.request for clip in (first, longer, changed, between, across)
        )
        assert {"mode": "text-to-audio", "prompt": "0", "negative_prompt": "drums"}.items() <= made.items()
        assert {"seed": 7, "width": 320, "quality": "fast"}.items() <= made.items()
        assert {"mode": "extend", "init": {"job": first["id"]}, "prompt": "0", "seconds": 1}.items() <= long.items()
        assert (other["prompt"], other["seconds"]) == ("bells", 5)
        assert (blend["mode"], blend["alpha"], blend["clips"]) == ("crossfade", 0.5, None)
        assert [blend[end]["init"] for end in ("start", "end")] == [{"job": clip["id"]} for clip in (first, longer)]
        assert (way["alpha"], way["clips"], way["end"]["prompt"]) == (None, 3, "bells")

    asyncio.run(play())


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("look", {"clip": "0" * 46}, "There is no job"),
        ("look", {"clip": "../../etc/passwd"}, "is not the id"),
        ("extend", {"clip": "0" * 46}, "There is no job"),
        ("blend", {"first": "..", "second": ".."}, "is not the id"),
        ("make_music", {"prompt": "x" * 2001}, "prompt: "),
        ("make_music", {"prompt": "0", "seconds": 60}, "seconds"),
        ("make_music", {"prompt": "refuse"}, "isn't finite"),
    ],
)
def test_what_goes_wrong_is_said(connect: Connect, tool: str, arguments: dict[str, object], message: str) -> None:
    async def fail() -> None:
        async with connect() as client:
            result = await client.call_tool(tool, arguments)
        assert result.is_error
        assert message in text(result)

    asyncio.run(fail())


def test_a_call_that_is_canceled_cancels_its_job(connect: Connect, settings: Settings) -> None:
    redis = JobStore.connect(settings).redis

    async def cancel() -> None:
        async with connect() as client:
            with anyio.move_on_after(1):
                await client.call_tool("make_music", {"prompt": "60"})
            await asyncio.to_thread(wait_until, lambda: redis.hexists("ended", "canceled requested tiny"), 20)

    asyncio.run(cancel())
