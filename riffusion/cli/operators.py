"""What the operators' commands share: the Redis that they work on, who uses them, and how they print."""

import getpass
import json
import os
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from pydantic import JsonValue
from redis import Redis

from riffusion.embedded.supervisor import REDIS_URL
from riffusion.errors import StoreUnavailable
from riffusion.jobs.audit import AuditLog
from riffusion.jobs.database import Database, connect, refuse_cluster
from riffusion.jobs.redis_url import read_url
from riffusion.printable import escape
from riffusion.settings import Settings, get_settings

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_CENTURY = 36_525 * 86_400  # seconds

JSON = click.option("--json", "as_json", is_flag=True, help="JSON lines, for scripts.")


class Duration(click.ParamType[float]):
    """A duration such as `90s`, `15m`, `2h` or `1d`, in seconds; a century at most."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        number, unit = str(value)[:-1], str(value)[-1:]
        if unit not in _UNITS or not number.isdecimal():
            self.fail(f"{value} is not a number followed by s, m, h or d", param, ctx)
        if len(number) > len(str(_CENTURY)) or (seconds := int(number) * _UNITS[unit]) > _CENTURY:
            self.fail(f"{value} is longer than a century", param, ctx)
        return seconds


@dataclass(frozen=True)
class Operator:
    """The user of a command, and the service that it works on."""

    redis: Redis
    settings: Settings

    @classmethod
    def open(cls, data: Path | None) -> "Operator":
        """On the Redis of the settings; where they name none, on that of a `riffusion up` on this machine.

        Args:
            data: the data folder of a `riffusion up`.

        Raises:
            SetupError: the Redis is in cluster mode, or its URL can't be read.
            StoreUnavailable: it doesn't respond; the message names it.
        """
        settings, source = get_settings(), "RIFFUSION_REDIS_URL"
        url = (data or settings.data_dir) / REDIS_URL
        if url.exists() and (data is not None or "redis_url" not in settings.model_fields_set):
            settings, source = settings.model_copy(update={"redis_url": url.read_text()}), str(url)
        if data is not None:
            settings = settings.model_copy(update={"data_dir": data})
        redis = connect(settings)
        try:
            Database(redis, settings).command("PING")
        except StoreUnavailable as error:
            shown = read_url(settings.redis_url).shown
            raise StoreUnavailable(f"{error} It is {shown} ({source}).") from error
        refuse_cluster(redis)
        return cls(redis, settings)

    def now(self) -> float:
        """Redis's time, Unix seconds."""
        return Database(self.redis, self.settings).now()

    def record(self, action: str, target: str, **details: JsonValue) -> None:
        """Writes what this user is about to do into the audit log."""
        AuditLog(self.redis, self.settings).write(self.actor, action, target, details)

    @property
    def actor(self) -> str:
        """Who uses the command: `cli:<user>@<host>`."""
        try:
            user = getpass.getuser()
        except (OSError, KeyError):  # a container's user has a number only
            user = str(os.getuid())
        return f"cli:{user}@{socket.gethostname()}"


def confirm(question: str, *, yes: bool) -> None:
    """Asks, unless `--yes` was given, and ends the command unless the user agrees."""
    try:
        if not yes:
            click.confirm(question, abort=True, err=True)
    except click.Abort:
        if not sys.stdin.isatty():
            echo_note("There is no terminal to ask on: --yes does it without asking.")
        raise


def timestamp(seconds: float | None) -> str:
    """A time of Redis's clock for people, in UTC; a dash for None."""
    return "-" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def echo_json(value: object) -> None:
    """One line of JSON, in ASCII, where no control character is left."""
    click.echo(json.dumps(value))


def echo_line(text: str) -> None:
    """One line for people, without what a terminal would obey: some of it comes from clients and other operators."""
    click.echo(escape(text))


def echo_note(text: str) -> None:
    """One line for people, on standard error, beside what the command prints."""
    click.echo(escape(text), err=True)


def echo_table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Rows in columns under their heads; nothing where there are no rows."""
    lines = [list(row) for row in rows]
    if not lines:
        return
    lines.insert(0, list(heads))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        echo_line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
