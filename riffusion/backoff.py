"""Exponential back-off: how long to wait before each retry."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Pauses in seconds that double from the first to the longest, without end.

    for pause in Backoff(0.2, 5):
        ...  # try, and wait if that fails
    """

    first_s: float
    longest_s: float

    def __iter__(self) -> Iterator[float]:
        pause = self.first_s
        while True:
            yield pause
            pause = min(2 * pause, self.longest_s)
