"""Requests as the generator gets them, and what is made of them without it."""

from typing import Any

import numpy as np

from riffusion.generate import Control, NoControl
from riffusion.generate.modes import maker_of
from riffusion.generate.painter import Painter
from riffusion.requests import AnyRequest, Sizes, cost, parse, with_guidance
from riffusion.spectrogram.canvas import Canvas

UPLOAD = {"upload": "u" * 20}
COMMON = {"steps": 2, "seed": 5, "prompt": "funk"}


def asked(mode: str, **fields: Any) -> Any:
    """A request of this mode, with the guidance filled in."""
    return with_guidance(parse({"mode": mode, **fields}), 7.0)


def made(
    painter: Painter, request: AnyRequest, canvases: dict[str, Canvas] | None = None, control: Control | None = None
) -> Canvas:
    """The picture that a request asks for."""
    return maker_of(type(request))(painter, request, canvases or {}, control or NoControl())


def riffed(painter: Painter, init: Canvas, **fields: Any) -> Canvas:
    """A riff of a picture."""
    return made(painter, asked("riff", init=UPLOAD, **COMMON | fields), {"init": init})


def near(a: Canvas, b: Canvas) -> bool:
    """Whether two pictures are the same but for rounding: a batch of another size rounds differently."""
    return int(np.abs(a.pixels.astype(int) - b.pixels.astype(int)).max()) <= 1


class Counter(NoControl):
    """Remembers how many steps a request takes."""

    total = 0

    def progress(self, _step: int, total: int) -> None:
        self.total = total


def charged_for_steps(request: Any, sizes: Sizes) -> float:
    """The part of the cost that twice the steps double."""
    return cost(request.model_copy(update={"steps": 2 * request.steps}), sizes) - cost(request, sizes)
