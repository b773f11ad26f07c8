"""A running service, and the MCP server before it, by the SDK's own client: as a process, or in this one."""

import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from riffusion.client import AsyncClient
from riffusion.mcp_server.server import build
from riffusion.settings import Settings
from tests.client.in_process_service import serving

Connect = Callable[[], AbstractAsyncContextManager[Client]]


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with serving(settings) as url:
        yield url


@pytest.fixture
def connect(url: str, tmp_path: Path) -> Connect:
    """Connects to a server in this process."""

    @asynccontextmanager
    async def connected() -> AsyncGenerator[Client, None]:
        async with AsyncClient(url) as api, Client(build(api, tmp_path / "clips")) as client:
            yield client

    return connected


def started(url: str, folder: Path, **environment: str) -> Client:
    """A client of a server as assistants start it."""
    arguments = ["-m", "riffusion", "mcp", "--url", url, "--folder", str(folder)]
    environment = {"PYTHONPATH": ":".join(sys.path), **environment}
    return Client(StdioServerParameters(command=sys.executable, args=arguments, env=environment))


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool made."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return dict(result.structured_content)


def text(result: CallToolResult) -> str:
    """What an assistant reads."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
