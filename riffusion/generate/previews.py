"""The picture of a running request as it emerges, for its control to show.

A preview shows the whole picture: what is painted already, what the running prediction of each row looks like, and
silence where nothing has begun.
"""

import io
import math
import time
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from riffusion.diffusion.metrics import PREVIEWS
from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.errors import OutOfMemory
from riffusion.generate.clip import Control
from riffusion.geometry import ROWS
from riffusion.spectrogram.canvas import Grey
from riffusion.spectrogram.pixels import SILENCE

INTERVAL_S = 0.3  # of the engine's work on the request, at least between two previews
COST_SHARE = 0.03  # of that work, at most, is spent on previews
MAX_BYTES = 10_000  # of a preview's file
_MAX_SCALE = 0.5
_MAX_PIXELS = 1 << 17
_QUALITY, _METHOD = 40, 0  # of WebP: the fastest method

Whole = Callable[[Sequence[Grey]], Grey]
"""The whole picture of a request, from those of the tasks that are painted at once."""


def side_by_side(greys: Sequence[Grey]) -> Grey:
    """Pictures [rows, columns] in a row."""
    return np.concatenate(greys, axis=1)


def encode_preview(grey: Grey) -> bytes:
    """A WebP file of at most `MAX_BYTES`, in the picture's proportions and at most half as large on each side."""
    scale = min(_MAX_SCALE, math.sqrt(_MAX_PIXELS / grey.size))
    while True:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        file = io.BytesIO()
        small = Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BOX)
        small.save(file, "WEBP", quality=_QUALITY, method=_METHOD)
        if file.tell() <= MAX_BYTES:
            return file.getvalue()
        scale /= 2


class Previewer:
    """Decodes previews, and knows from the latest what one costs. Used by all requests of a painter."""

    def __init__(self, decode: Callable[[Tensor], Grey]) -> None:
        self.decode = decode
        self._seconds_per_column = 0.0

    def expected_s(self, columns: int) -> float:
        """Seconds that a preview with so many columns to decode is likely to take; 0 before the first one."""
        return self._seconds_per_column * columns

    def record(self, columns: int, seconds: float) -> None:
        """Reports what a preview has taken."""
        self._seconds_per_column = seconds / columns


class Previews:
    """The previews of one request: when its control gets one, and of what. Used by the request's thread."""

    def __init__(self, control: Control, previewer: Previewer) -> None:
        self._control = control
        self._previewer = previewer
        self._wanted = control.wants_previews
        self._predictions: list[RunningPrediction] = []  # of all tasks so far
        self._running: dict[int, RunningPrediction] = {}
        self._greys: list[Grey] = []
        self._whole: Whole = side_by_side
        self._asked = False
        self._shown_at_s = self._spent_s = 0.0

    def begin(self, widths: Sequence[int], whole: Whole) -> list[RunningPrediction]:
        """Begins with tasks of these widths in columns, and returns what the engine is to fill in for each."""
        self._running = {index: RunningPrediction() for index in range(len(widths))}
        self._predictions += self._running.values()
        self._greys = [np.full((ROWS, width), SILENCE, np.uint8) for width in widths]
        self._whole = whole
        self._asked = False
        return list(self._running.values())

    def finish(self, index: int, grey: Grey) -> None:
        """Shows the final picture [rows, columns] of a task from now on."""
        self._greys[index] = grey[:, : self._greys[index].shape[1]]
        self._running.pop(index)

    def update(self) -> None:
        """Called after each step while tasks run: asks for predictions when one is due, and shows them once there."""
        if not self._wanted or not self._running:
            return
        if not self._asked:
            self._asked = self._due()
            for prediction in self._running.values() if self._asked else ():
                prediction.ask()
            return
        taken = {index: prediction.take() for index, prediction in self._running.items()}
        if predicted := {index: latents for index, latents in taken.items() if latents is not None}:
            self._asked = False
            self._show(predicted)

    def _due(self) -> bool:
        columns = sum(self._greys[index].shape[1] for index in self._running)
        affordable = COST_SHARE * self._work_s() - self._spent_s
        return self._work_s() - self._shown_at_s >= INTERVAL_S and self._previewer.expected_s(columns) <= affordable

    def _work_s(self) -> float:
        return sum(prediction.work_s for prediction in self._predictions)

    def _show(self, predicted: dict[int, Tensor]) -> None:
        began = time.perf_counter()
        try:
            for index, latents in predicted.items():
                width = self._greys[index].shape[1]
                self._greys[index] = self._previewer.decode(latents)[:, :width]
        except OutOfMemory:
            self._wanted = False  # the request needs what there is
            return
        self._control.preview(encode_preview(self._whole(self._greys)))
        PREVIEWS.inc()
        seconds = time.perf_counter() - began
        self._previewer.record(sum(self._greys[index].shape[1] for index in predicted), seconds)
        self._spent_s += seconds
        self._shown_at_s = self._work_s()
