"""`riffusion mcp` as an assistant starts it: a process, on its standard input and output."""

import asyncio
import base64
from pathlib import Path

from mcp_types import ImageContent

from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings
from tests.mcp_server.conftest import started, text


def test_music_is_made_and_looked_at(settings: Settings, url: str, tmp_path: Path) -> None:
    store = JobStore.connect(settings)
    secret, key = KeyStore(store.redis, settings).create("assistant", UNLIMITED)
    steps: list[tuple[float, float | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append((progress, total))

    async def play() -> None:
        async with started(url, tmp_path, RIFFUSION_KEY=secret) as client:
            tools = (await client.list_tools()).tools
            assert {tool.name for tool in tools} == {"make_music", "look", "extend", "blend"}
            made = await client.call_tool("make_music", {"prompt": "1"}, progress_callback=note)
            assert made.structured_content is not None
            clip = made.structured_content
            looked = await client.call_tool("look", {"clip": clip["id"]})
        assert Path(clip["file"]) == tmp_path / f"{clip['id']}.mp3"
        assert Path(clip["file"]).read_bytes() == b"sound"
        assert store.get(clip["id"]).tenant == f"key:{key.id}"
        (picture,) = [part for part in looked.content if isinstance(part, ImageContent)]
        assert base64.b64decode(picture.data) == b"picture"
        assert "'prompt': '1'" in text(looked)

    asyncio.run(play())
    assert {total for _, total in steps} == {20}
