"""A queue whose items take turns by tenant."""

import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T")


class FairQueue(Generic[_T]):
    """Start-time fair queueing (Goyal, Vin and Cheng 1996).

    An item's start tag is the queue's virtual time, or its tenant's last finish tag if that is later; its finish tag
    lies cost / weight beyond. The lowest start tag goes first: a tenant with many items alternates with the others, a
    weight of 4 gets four times the share, and no tenant starves, since every tag is reached in the end.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _T]] = []
        self._arrivals = itertools.count()
        self._finish: dict[Hashable, float] = {}
        self._virtual_time = 0.0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, item: _T, tenant: Hashable, cost: float = 1.0, weight: float = 1.0) -> None:
        """Queues an item. `cost` and `weight` are greater than 0."""
        start = max(self._virtual_time, self._finish.get(tenant, 0.0))
        self._finish[tenant] = start + cost / weight
        heapq.heappush(self._heap, (start, next(self._arrivals), item))

    def pop(self) -> _T:
        """Removes and returns the next item.

        Raises:
            IndexError: the queue is empty.
        """
        self._virtual_time, _, item = heapq.heappop(self._heap)
        if not self._heap:
            self._finish = {tenant: tag for tenant, tag in self._finish.items() if tag > self._virtual_time}
        return item
