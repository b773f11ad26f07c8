"""Requests that have no reply yet, on disk, so that a restarted bot resumes them.

Buttons need no record: their custom ids name their job. But Discord can't be asked which of a bot's messages still wait
for a clip. A pending request's id is its Idempotency-Key: submitting it again, at whatever moment the bot restarted,
returns the job that the first submission created.
"""

import sqlite3
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from riffusion.requests import Request

_log = structlog.get_logger()


class PendingRequest(BaseModel):
    """A request of one person, and the message that becomes its reply."""

    model_config = ConfigDict(frozen=True)

    id: str
    """`discord-` and the interaction's id."""
    request: Request
    user: int
    guild: int | None
    """The Discord server; None in direct messages."""
    channel: int
    message: int
    """The reply's id."""
    token: str
    """The interaction's; lets the bot edit the reply for 15 minutes."""
    asked_at: float
    """Unix seconds."""
    file_limit: int
    """Bytes of the largest attachment that Discord accepts there."""


class PendingRequestStore:
    """The pending requests. For one process at a time, and one thread.

    Args:
        path: of the SQLite file; created if missing, readable by its owner only because it holds tokens.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None)  # every statement is a transaction
        names = {name for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if "orders" in names and "pending_requests" not in names:  # as the versions before 2026-11-28 named it
            self._database.execute("ALTER TABLE orders RENAME TO pending_requests")
        self._database.execute("CREATE TABLE IF NOT EXISTS pending_requests (id TEXT PRIMARY KEY, data TEXT NOT NULL)")

    def add(self, pending: PendingRequest) -> None:
        """Stores a request until it is removed."""
        self._database.execute("INSERT INTO pending_requests VALUES (?, ?)", (pending.id, pending.model_dump_json()))

    def remove(self, pending: PendingRequest) -> None:
        """Deletes a request that has its reply."""
        self._remove(pending.id)

    def all(self) -> list[PendingRequest]:
        """Every pending request, oldest first. One of another version that this one can't read is deleted."""
        found = []
        rows = self._database.execute("SELECT id, data FROM pending_requests ORDER BY rowid").fetchall()
        for pending_id, data in rows:
            try:
                found.append(PendingRequest.model_validate_json(data))
            except ValidationError as error:
                _log.warning("pending request unreadable", request=pending_id, reason=str(error))
                self._remove(pending_id)
        return found

    def _remove(self, pending_id: str) -> None:
        self._database.execute("DELETE FROM pending_requests WHERE id = ?", (pending_id,))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
