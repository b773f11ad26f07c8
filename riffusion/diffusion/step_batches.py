"""In whose company a row was denoised: runs of steps whose UNet calls were shared by as many rows."""

import time
from dataclasses import dataclass, field

MAX_RUNS = 32  # of a row; a busy batch changes at every step


@dataclass
class StepRun:
    """Consecutive steps of a row, each in a batch of as many rows."""

    rows: int
    """In the batch, this one included; the most of them where runs were joined."""
    began: float
    """Unix seconds."""
    ended: float
    """Unix seconds."""
    calls_s: float
    """Seconds of its UNet calls; the rest of the time, batches of other shapes or LoRAs had their turns."""
    steps: int = 1


@dataclass
class StepBatches:
    """The steps of one row so far, added by the engine's thread."""

    runs: list[StepRun] = field(default_factory=list)

    def add(self, rows: int, seconds: float) -> None:
        """Adds a step that is over now, and took so long together with the other rows of its batch."""
        now = time.time()
        last = self.runs[-1] if self.runs else None
        if last is None or (last.rows != rows and len(self.runs) < MAX_RUNS):
            self.runs.append(StepRun(rows, now - seconds, now, seconds))
            return
        last.rows, last.ended = max(last.rows, rows), now
        last.calls_s, last.steps = last.calls_s + seconds, last.steps + 1
