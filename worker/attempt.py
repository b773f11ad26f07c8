"""One attempt at one job: the state shared by the thread that runs it and the heartbeat thread that reports on it."""

import threading
import time
from collections.abc import Callable

from riffusion.errors import DeadlineExceeded, LeaseLost, RiffusionError
from riffusion.jobs.record import JobRecord
from riffusion.settings import Settings


class GivenBack(RiffusionError):
    """The worker shuts down, and returns the job to the queue."""

    code = "given_back"


class Attempt:
    """The Control of a running job. Both threads only access memory: a Redis that hangs never delays a step.

    The runner's thread calls `progress`, `check` and `pause`, which raise the error that ends the attempt, `preview`
    and `touch`. The heartbeat's thread calls `drop`, `give_back` and `take_preview` and reads the properties.
    """

    wants_previews = True

    def __init__(self, record: JobRecord, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self.id = record.id
        self.token = record.token
        self.weight = record.weight
        self.progress_report = (0, 0, 0)  # step, total, and a number that rises with each report
        self._preview = b""
        self._settings = settings
        self._clock = clock
        self._end: RiffusionError | None = None
        self._ending = threading.Event()
        self._started = self._progressed = self._seen = clock()

    def progress(self, step: int, total: int) -> None:
        """Reports `step` of `total` denoising steps. Raises as `check`."""
        self._report(step, total)
        self.check()

    def check(self) -> None:
        """Returns if the attempt may continue.

        Raises:
            LeaseLost: it was canceled, or another attempt owns it.
            DeadlineExceeded: it has run, or made no progress, for too long.
            GivenBack: the worker shuts down.
        """
        now = self._seen = self._clock()
        if self._end is not None:
            raise self._end
        if now - self._started > self._settings.running_deadline_s:
            raise DeadlineExceeded(f"The job ran for longer than {self._settings.running_deadline_s:g} s.")
        if now - self._progressed > self._settings.stalled_deadline_s:
            raise DeadlineExceeded(f"The job made no progress for {self._settings.stalled_deadline_s:g} s.")

    def preview(self, webp: bytes) -> None:
        """Shows the picture as it emerges, with the next report."""
        self._preview = webp
        self._report(*self.progress_report[:2])

    def take_preview(self) -> bytes:
        """The latest preview that has not been taken; empty without one."""
        preview, self._preview = self._preview, b""
        return preview

    def pause(self, seconds: float) -> None:
        """Waits for another system, which counts as progress. Raises as `check`."""
        self._ending.wait(seconds)
        self._report(*self.progress_report[:2])
        self.check()

    def touch(self) -> None:
        """Shows that the thread doesn't hang, while it waits for Redis to store the outcome."""
        self._seen = self._clock()

    def drop(self) -> None:
        """Ends the attempt because it has lost the job."""
        self._stop(LeaseLost("Another attempt owns the job, or it was canceled."))

    def give_back(self) -> None:
        """Ends the attempt because the worker has no time left for it."""
        self._stop(GivenBack("The worker shuts down."))

    @property
    def dropped(self) -> bool:
        """Whether it has lost the job."""
        return isinstance(self._end, LeaseLost)

    @property
    def hung(self) -> bool:
        """Whether its thread should have stopped and has called nothing here for the deadline of a stalled job."""
        return self._end is not None and self._clock() - self._seen > self._settings.stalled_deadline_s

    def _report(self, step: int, total: int) -> None:
        self.progress_report = (step, total, self.progress_report[2] + 1)
        self._progressed = self._clock()

    def _stop(self, end: RiffusionError) -> None:
        self._end = self._end or end
        self._ending.set()
