"""What Redis says should be in the storage: the folders that may hold files, and the records that name some."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from riffusion.jobs.database import Database
from riffusion.jobs.erasures import FILE as ERASURES

# What this version stores, drafts of the local storage included. Nothing else is ever deleted without a record.
_LAYOUT = re.compile(
    rf"(results/[0-9a-f]{{40}}/clip\.\w+|uploads/[0-9a-f]{{32}}/file\.\w+|{ERASURES})(\.draft-\w+)?", re.ASCII
)

_WHOSE = ("id", "client", "networks", "created_at", "left_at")


@dataclass(frozen=True)
class Holding:
    """A record, and the files that it names."""

    kind: str
    """`job`, `upload` or `batch`."""
    id: str
    scopes: tuple[str, ...]
    """Its client, and the networks around that."""
    since: float
    """When its client created it, or was left it by another one: Unix seconds."""
    keys: tuple[str, ...]
    """In Storage; none of a job that hasn't succeeded."""
    version: str
    """Of a job: its result as Redis has it."""
    deleted: bool = False
    """Whether it is an upload that its owner deleted, and a job still needs; or a batch of which jobs are left."""


class Inventory:
    """What one Redis says. Its methods read all records, a page at a time, and raise StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def holdings(self) -> Iterator[Holding]:
        """Every job and every upload."""
        for page in self._database.scan("job:*"):
            for found in self._database.many(("HMGET", key, *_WHOSE, "result") for key in page):
                if found[0]:
                    result = found[-1].decode() if found[-1] else ""
                    yield Holding("job", *_whose(found), _result_keys(result), result)
        for page in self._database.scan("upload:*"):
            for found in self._database.many(("HMGET", key, *_WHOSE, "deleted", "key") for key in page):
                if found[0]:
                    yield Holding("upload", *_whose(found), (found[-1].decode(),), "", bool(found[-2]))

    def batches(self) -> Iterator[Holding]:
        """Every batch, drafts and those that are being deleted included."""
        for page in self._database.scan("batch:*"):
            for found in self._database.many(("HMGET", key, *_WHOSE, "deleted") for key in page):
                if found[0]:
                    yield Holding("batch", *_whose(found), (), "", bool(found[-1]))

    def folders(self) -> set[str]:
        """Where files may be that a record, a running attempt, or an entry of the sweep knows of.

        Every one of them is in Redis before its first file is stored, and none is used a second time.
        """
        known = {folder_of(key) for holding in self.holdings() for key in holding.keys}
        for page in self._database.scan("folders:*"):
            for folders in self._database.many(("SMEMBERS", key) for key in page):
                known.update(folder_of(folder.decode()) for folder in folders)
        for member in self._database.members("sweep_at", "file:*"):
            known.add(folder_of(member.removeprefix("file:")))
        return known


def folder_of(key: str) -> str:
    """The folder that belongs to one attempt or upload, as `results/<random>/`; of a key that isn't in one, the key."""
    parts = key.split("/", 2)
    return f"{parts[0]}/{parts[1]}/" if len(parts) > 2 else key  # noqa: PLR2004


def in_layout(key: str) -> bool:
    """Whether this service may have stored this file."""
    return _LAYOUT.fullmatch(key) is not None


def _whose(found: Sequence[bytes | None]) -> tuple[str, tuple[str, ...], float]:
    """Id, scopes, and since when it is its client's."""
    thing_id, client, networks, created_at, left_at = (part.decode() if part else "" for part in found[:5])
    return thing_id, (client, *json.loads(networks or "[]")), float(left_at or created_at)


def _result_keys(result: str) -> tuple[str, ...]:
    if not result:
        return ()
    output = json.loads(result)
    return output["image"]["key"], output["audio"]["key"]
