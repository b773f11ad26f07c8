"""Processor time, of all and of the stages of some work."""

import functools
import resource
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

Functions = Mapping[str, Sequence[tuple[object, str]]]
"""By stage, the functions that are the stage: where they are looked up, a class or a module, and their names."""


def processor_s() -> float:
    """Processor time in seconds of this process and the processes that it has started and waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Stages:
    """The processor time of stages that run one after another, or one within another, in the thread that measures.

    What other threads do meanwhile is the stage's, too; what a stage within another takes is the inner one's alone.
    """

    REST = "rest"

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        """By stage."""
        self._running = [self.REST]
        self._since = 0.0

    @contextmanager
    def measured(self, functions: Functions) -> Iterator[None]:
        """Measures these functions wherever they are called."""
        with ExitStack() as stack:
            for stage, places in functions.items():
                for owner, name in places:
                    stack.enter_context(patch.object(owner, name, self._timed(stage, getattr(owner, name))))
            self.seconds.clear()
            self._since = processor_s()
            yield
            self._count()

    def _timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*arguments: Any, **options: Any) -> Any:
            self._count()
            self._running.append(stage)
            try:
                return function(*arguments, **options)
            finally:
                self._count()
                self._running.pop()

        return timed

    def _count(self) -> None:
        now = processor_s()
        self.seconds[self._running[-1]] += now - self._since
        self._since = now
