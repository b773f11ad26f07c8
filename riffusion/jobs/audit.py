"""The audit log: who did what to the service by hand, newest last, in one Redis stream of bounded length.

An entry is written before the action itself, so that no action is missing from the log; the entry of an action that
then failed stays.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue
from redis import Redis

from riffusion.jobs.database import Database
from riffusion.settings import Settings

KEPT = 20_000  # entries, about; some 4 MB
ENTRY_ID = re.compile("[1-9][0-9]{0,14}-[0-9]{1,15}")  # milliseconds, and a number within those

_STREAM = "audit"
_NO_DETAILS: Mapping[str, JsonValue] = {}


@dataclass(frozen=True)
class AuditEntry:
    """One action of an operator."""

    id: str
    """In the order of time."""
    at: float
    """Unix seconds, of Redis's clock."""
    actor: str
    """`cli:<user>@<host>` or `key:<id>`."""
    action: str
    """What was done, as `<kind>.<verb>`: `job.requeue`, `model.pause`, `key.revoke`."""
    target: str
    """To what: an id or a name; empty where a filter in `details` chose several."""
    details: Mapping[str, JsonValue]


class AuditLog:
    """The audit log in one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)

    def write(self, actor: str, action: str, target: str, details: Mapping[str, JsonValue] = _NO_DETAILS) -> None:
        """Adds an entry, also where Redis's memory is full; the oldest beyond `KEPT` are dropped."""
        text = json.dumps(dict(details), ensure_ascii=False)
        self._database.run("write_audit", KEPT, actor, action, target, text, resend=False)

    def read(self, count: int, before: str | None = None) -> list[AuditEntry]:
        """The latest `count` entries, newest first; of those older than the entry with the id `before`, if given."""
        newest = f"({before}" if before else "+"
        found: list[tuple[bytes, dict[bytes, bytes]]]
        found = self._database.command("XREVRANGE", _STREAM, newest, "-", "COUNT", str(count))
        return [_entry(entry_id.decode(), fields) for entry_id, fields in found]


def _entry(entry_id: str, fields: Mapping[bytes, bytes]) -> AuditEntry:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    at = int(entry_id.partition("-")[0]) / 1000
    return AuditEntry(entry_id, at, text["actor"], text["action"], text["target"], json.loads(text["details"]))
