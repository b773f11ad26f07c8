"""A limit on what a client may do at once in one process."""

import math
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from riffusion.errors import Overloaded, TooManyRequests
from riffusion.jobs.tenants import Tenant, key_of


class ClientSlots:
    """Simultaneous uses of one thing, counted per client and for the networks around its address. Thread-safe."""

    def __init__(
        self, of_an_address: int, of_a_key: int, refusal: str, in_all: float = math.inf, full: str = ""
    ) -> None:
        """
        Args:
            of_an_address: slots; the networks around it have two and four times as many together.
            refusal: the message for a client that has taken all of its slots.
            in_all: slots of all clients together.
            full: the message where all of those are taken.
        """
        self._free, self._full = in_all, full
        self._of_an_address, self._of_a_key = of_an_address, of_a_key
        self._refusal = refusal
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, client: Tenant) -> None:
        """Takes a slot, which the same client gives back.

        Raises:
            TooManyRequests: the client has taken all of its slots.
            Overloaded: all clients together have.
        """
        first = self._of_a_key if key_of(client.name) else self._of_an_address
        with self._lock:
            if any(self._taken[scope] >= first * 2**index for index, scope in enumerate(client.scopes)):
                raise TooManyRequests(self._refusal, retry_after=1)
            if not self._free:
                raise Overloaded(self._full)
            self._free -= 1
            self._taken.update(client.scopes)

    def give_back(self, client: Tenant) -> None:
        """Frees a slot that `take` took."""
        with self._lock:
            self._free += 1
            self._taken -= Counter(client.scopes)  # which also drops those at 0

    @contextmanager
    def slot(self, client: Tenant) -> Iterator[None]:
        """Holds a slot.

        Raises:
            TooManyRequests, Overloaded: as `take`.
        """
        self.take(client)
        try:
            yield
        finally:
            self.give_back(client)
