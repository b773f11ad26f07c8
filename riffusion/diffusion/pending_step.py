"""A step of the engine that the device may still be running."""

from collections.abc import Sequence

import torch

from riffusion.diffusion.row import Row


class PendingStep:
    """A step that may still run on the device: on CUDA its results are read while the next step is under way."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self._last = [row.trajectory.done for row in rows]
        finite = torch.stack([row.latents for row in rows]).isfinite().flatten(1).all(1)
        self._completed: torch.cuda.Event | None = None
        if finite.is_cuda:
            self._finite = torch.empty(len(rows), dtype=torch.bool, pin_memory=True)
            self._finite.copy_(finite, non_blocking=True)
            self._completed = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._completed.record(torch.cuda.current_stream(finite.device))  # not the current device's
        else:
            self._finite = finite.cpu()

    def complete(self) -> None:
        """Waits for the device, then has each row report the step."""
        if self._completed is not None:
            self._completed.synchronize()
        for row, last, finite in zip(self.rows, self._last, self._finite.tolist(), strict=True):
            row.report(finite, last)
