"""A step of the engine that the device may still be running."""

import time
from collections.abc import Sequence

import torch

from riffusion.diffusion.row import Row


class PendingStep:
    """A step that may still run on the device: on CUDA its results are read while the next step is under way."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._last = [row.trajectory.done for row in rows]
        self._predicted = [row.predicted for row in rows]
        finite = torch.stack([row.latents for row in rows]).isfinite().flatten(1).all(1)
        self._completed: torch.cuda.Event | None = None
        if finite.is_cuda:
            self._finite = torch.empty(len(rows), dtype=torch.bool, pin_memory=True)
            self._finite.copy_(finite, non_blocking=True)
            self._completed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._completed.record(torch.cuda.current_stream(finite.device))  # not the current device's
        else:
            self._finite = finite.cpu()

    def complete(self, since: float) -> float:
        """Waits for the device, then has each row report the step, with an equal part of its time.

        Args:
            since: when the engine began the step, or completed the one before; on the clock `time.perf_counter`.

        Returns:
            When the device had finished.
        """
        if self._completed is not None:
            self._completed.synchronize()
        now = time.perf_counter()
        work_s = (now - since) / len(self.rows)
        results = zip(self.rows, self._finite.tolist(), self._last, self._predicted, strict=True)
        for row, finite, last, predicted in results:
            row.report(finite=finite, last=last, predicted=predicted, work_s=work_s, rows=len(self.rows))
        return now
