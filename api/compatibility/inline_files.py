"""How many responses with whole files in them are being sent: unlike those of links, they are in memory until then."""

import threading
from collections import Counter


class InlineFiles:
    """Counts such responses of a process, and of each client. Thread-safe.

    A response has half a megabyte, and clients may read it slowly on thousands of connections.
    """

    def __init__(self, limit: int = 64, each: int = 8) -> None:
        self._limit = limit
        self._each = each
        self._sending: Counter[str] = Counter()
        self._lock = threading.Lock()

    def enter(self, client: str) -> bool:
        """Takes a place for a client's response; False if none is free."""
        with self._lock:
            if self._sending.total() >= self._limit or self._sending[client] >= self._each:
                return False
            self._sending[client] += 1
            return True

    def leave(self, client: str) -> None:
        """Frees the place."""
        with self._lock:
            self._sending[client] -= 1
            if not self._sending[client]:
                del self._sending[client]
