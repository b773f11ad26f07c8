"""What the commands share that use a running server."""

import click

from riffusion.client import Client
from riffusion.settings import get_settings

RETRY_S = 10  # interactive

SERVER = (
    click.Option(["--url"], default="http://127.0.0.1:8000", show_default=True, help="The server's address."),
    click.Option(["--key"], help="API key; given as RIFFUSION_KEY, the list of processes doesn't show it."),
)
"""The options that `connect` takes."""


def connect(url: str, key: str | None, retry_for_s: float = RETRY_S) -> Client:
    """A client of the server, with the key of the settings if none is given."""
    own = get_settings().key
    if key is None and own is not None:
        key = own.get_secret_value()
    return Client(url, key, retry_for_s=retry_for_s)
