"""One attempt at one job: the link between the thread that runs it and the heartbeat thread that speaks for it."""

import threading
import time
from collections.abc import Callable

from riffusion.errors import DeadlineExceeded, LeaseLost, RiffusionError
from riffusion.jobs.record import JobRecord
from riffusion.settings import Settings


class GivenBack(RiffusionError):
    """The worker shuts down and leaves the job to another one."""

    code = "given_back"


class Attempt:
    """The Control of a running job. Both of its sides only touch memory: a Redis that hangs never holds up a step.

    The runner's side is `progress`, `check` and `pause`, which raise what ends the attempt, and `touch`; the
    heartbeat's side is `drop`, `give_back` and what can be read here.
    """

    def __init__(self, record: JobRecord, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = record.id
        self.token = record.token
        self.weight = record.weight
        self.told = (0, 0, 0)  # step, total, and a number that rises with every sign of progress
        self._settings = settings
        self._clock = clock
        self._end: RiffusionError | None = None
        self._ending = threading.Event()
        self._started = self._progressed = self._seen = clock()

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` denoising steps are done. Raises as `check` does."""
        self._tell(step, total)
        self.check()

    def check(self) -> None:
        """The job goes on.

        Raises:
            LeaseLost: it was canceled, or another attempt owns it.
            DeadlineExceeded: it has run, or stood still, for too long.
            GivenBack: the worker shuts down.
        """
        now = self._seen = self._clock()
        if self._end is not None:
            raise self._end
        if now - self._started > self._settings.running_deadline_s:
            raise DeadlineExceeded(f"The job ran for longer than {self._settings.running_deadline_s:g} s.")
        if now - self._progressed > self._settings.stalled_deadline_s:
            raise DeadlineExceeded(f"The job made no progress for {self._settings.stalled_deadline_s:g} s.")

    def pause(self, seconds: float) -> None:
        """Waits for something that is not the job's fault, so it counts as progress. Raises as `check` does."""
        self._ending.wait(seconds)
        self._tell(*self.told[:2])
        self.check()

    def touch(self) -> None:
        """Its thread waits for Redis to take the outcome, and doesn't hang."""
        self._seen = self._clock()

    def drop(self) -> None:
        """The store says that the job is this attempt's no more."""
        self._stop(LeaseLost("Another attempt owns the job, or it was canceled."))

    def give_back(self) -> None:
        """The worker has no time left to finish it."""
        self._stop(GivenBack("The worker shuts down."))

    @property
    def dropped(self) -> bool:
        """Whether the job is this attempt's no more."""
        return isinstance(self._end, LeaseLost)

    @property
    def hung(self) -> bool:
        """Whether its thread was told to stop and has shown no sign of life for as long as a job may stand still."""
        return self._end is not None and self._clock() - self._seen > self._settings.stalled_deadline_s

    def _tell(self, step: int, total: int) -> None:
        self.told = (step, total, self.told[2] + 1)
        self._progressed = self._clock()

    def _stop(self, end: RiffusionError) -> None:
        self._end = self._end or end
        self._ending.set()
