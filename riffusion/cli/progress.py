"""A progress bar for jobs here and on a server."""

from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from riffusion.client import Job


class ProgressBar:
    """A bar of denoising steps on standard error. It is the Control of a request that runs in this process."""

    weight = 1.0
    wants_previews = False

    def __init__(self) -> None:
        self._bar = tqdm(total=1, unit="step", desc="getting ready", leave=False)

    def __enter__(self) -> "ProgressBar":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bar.close()

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` steps are done."""
        self._bar.total = total
        self._bar.n = step
        self._bar.set_description("painting" if step < total else "listening", refresh=False)
        self._bar.refresh()

    def check(self) -> None:
        """Nothing stops a request in this process but Ctrl-C."""

    def preview(self, webp: bytes) -> None:
        """Not called."""

    def show(self, job: "Job") -> None:
        """Shows the state of a job on a server."""
        queue, progress = job.data.queue, job.data.progress
        if progress and progress.total:
            self.progress(progress.step, progress.total)
        elif queue:
            eta = "" if queue.eta_s is None else f", about {queue.eta_s:.0f} s"
            eta = ", the model is paused" if queue.paused else eta
            self._bar.set_description(f"waiting: {queue.position} before it{eta}")
