"""The metrics of a training, in a JSON-lines file and, where it is installed, in TensorBoard."""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Self


class MetricsLog:
    """Appends one line a call to `metrics.jsonl`, and the same scalars to TensorBoard's event files beside it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "metrics.jsonl").open("a")
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:  # the `train` extra isn't installed; the file has the same numbers
            self._board = None
        else:
            self._board = SummaryWriter(str(folder / "tensorboard"))

    def write(self, step: int, **scalars: float) -> None:
        """Records named numbers of a step, with the time in Unix seconds."""
        self._file.write(json.dumps({"step": step, "time": round(time.time(), 1), **scalars}) + "\n")
        self._file.flush()
        if self._board:
            for name, number in scalars.items():
                self._board.add_scalar(name, number, step)

    def close(self) -> None:
        """Flushes and closes both."""
        self._file.close()
        if self._board:
            self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
