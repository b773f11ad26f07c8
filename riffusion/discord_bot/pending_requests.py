"""What people have asked for and not got yet, on disk, so that a bot that is started anew goes on with it.

Buttons need nothing of this: their custom ids say which job they belong to. But Discord has no way to ask which of a
bot's messages still wait for a clip, so those are written down. An order's id is its Idempotency-Key: submitting an
order again, after a restart at whatever moment, finds the job that it became the first time.
"""

import sqlite3
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from riffusion.requests import Request

_log = structlog.get_logger()


class Order(BaseModel):
    """One clip for one person, and the message by which it is answered."""

    model_config = ConfigDict(frozen=True)

    id: str  # the interaction's
    request: Request
    user: int
    guild: int | None  # the Discord server; None in direct messages
    channel: int
    message: int
    token: str  # the interaction's; lets the bot edit its answer for 15 minutes
    asked_at: float  # Unix seconds
    file_limit: int  # bytes of one attachment that Discord takes there


class OrderBook:
    """The orders that are open. One process at a time, from one thread.

    Args:
        path: of the SQLite file; made if it isn't there, readable by its owner only because it holds tokens.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._database = sqlite3.connect(path, isolation_level=None)  # every statement is a transaction
        self._database.execute("CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, data TEXT NOT NULL)")

    def add(self, order: Order) -> None:
        """Keeps an order until it is removed."""
        self._database.execute("INSERT INTO orders VALUES (?, ?)", (order.id, order.model_dump_json()))

    def remove(self, order: Order) -> None:
        """Forgets an order that was answered."""
        self._remove(order.id)

    def all(self) -> list[Order]:
        """Every open order, oldest first. One that another version wrote and this one can't read is dropped."""
        orders = []
        for order_id, data in self._database.execute("SELECT id, data FROM orders ORDER BY rowid").fetchall():
            try:
                orders.append(Order.model_validate_json(data))
            except ValidationError as error:
                _log.warning("order_unreadable", order=order_id, error=str(error))
                self._remove(order_id)
        return orders

    def _remove(self, order_id: str) -> None:
        self._database.execute("DELETE FROM orders WHERE id = ?", (order_id,))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()
