"""The bundled model's clips on a real CUDA device, beside those of the CPU. Skipped where there is none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from riffusion.generate import Generator, NoControl
from riffusion.requests import parse
from riffusion.requests.modes import BY_NAME
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA here")

DEVICE = "cuda"
CLOSE = 4.0  # grey levels, on average: half precision in place of float32
SAMPLERS = ("dpm++2m", "ddim", "euler", "euler-a", "pndm", "lcm", "tcd", "dpm++2m")


@pytest.fixture(scope="module")
def on_gpu() -> Iterator[Generator]:
    with Generator.load(Settings(device=DEVICE, checkpoint="bundled")) as generator:
        yield generator


@pytest.fixture(scope="module")
def on_cpu() -> Iterator[Generator]:
    with Generator.load(Settings(device="cpu", checkpoint="bundled")) as generator:
        yield generator


def painted(generator: Generator, mode: str, **fields: Any) -> Canvas:
    """The picture of a mode's example."""
    request = parse({"mode": mode, **BY_NAME[mode].EXAMPLE, "steps": 4, "seed": 5, **fields})
    return Canvas.open(generator.run(request, {}, NoControl()).png)


def apart(one: Canvas, other: Canvas) -> float:
    """Mean difference of two pictures in grey levels."""
    return float(np.abs(one.pixels.astype(float) - other.pixels).mean())


@pytest.mark.parametrize("mode", ["text-to-audio", "riff", "inpaint", "extend"])
def test_a_clip_is_that_of_the_cpu(on_gpu: Generator, on_cpu: Generator, mode: str) -> None:
    assert apart(painted(on_gpu, mode), painted(on_cpu, mode)) < CLOSE


def test_a_clip_does_not_depend_on_its_batch(on_gpu: Generator) -> None:
    def clip(number: int) -> Canvas:
        return painted(on_gpu, "text-to-audio", seed=number, scheduler=SAMPLERS[number], guidance=1 + 3 * (number % 2))

    numbers = range(len(SAMPLERS))
    alone = [clip(number) for number in numbers]
    with ThreadPoolExecutor(len(SAMPLERS)) as pool:
        together = list(pool.map(clip, numbers))
    assert max(map(apart, alone, together)) < CLOSE
