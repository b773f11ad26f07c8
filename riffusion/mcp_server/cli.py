"""`riffusion mcp`."""

from pathlib import Path

import anyio
import click

from riffusion.client import AsyncClient
from riffusion.mcp_server.server import build
from riffusion.settings import get_settings

RETRY_S = 10  # somebody waits


@click.command()
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="The server's address.")
@click.option("--key", help="API key, where the server requires one; otherwise RIFFUSION_KEY.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path.home() / "riffusion",
    show_default="~/riffusion",
    help="Where clips are saved.",
)
def mcp(url: str, key: str | None, folder: Path) -> None:
    """The MCP server, on standard input and output: an assistant starts it, and makes music through a running API."""
    own = get_settings().key
    if key is None and own is not None:
        key = own.get_secret_value()
    anyio.run(_serve, url, key, folder)


async def _serve(url: str, key: str | None, folder: Path) -> None:
    async with AsyncClient(url, key, retry_for_s=RETRY_S) as client:
        await build(client, folder).run_stdio_async()
