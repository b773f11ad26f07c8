import threading
from concurrent.futures import Future
from functools import partial
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from riffusion.diffusion.noise import SeededNoise
from riffusion.errors import Canceled
from riffusion.generate import NoControl
from riffusion.generate.painter import ImageTask, Painter
from riffusion.requests import InterpolationEnd
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.spectrogram.canvas import Canvas
from tests.generate.asked import made


class Recorder(NoControl):
    def __init__(self) -> None:
        self.reported: list[tuple[int, int]] = []

    def progress(self, step: int, total: int) -> None:
        self.reported.append((step, total))


class StopsAt(NoControl):
    def __init__(self, step: int) -> None:
        self._step = step
        self.last = (0, 0)

    def progress(self, step: int, total: int) -> None:
        self.last = (step, total)
        if step >= self._step:
            raise Canceled("enough")


def request(steps: int, seed: int = 1) -> TextToAudio:
    return TextToAudio(prompt="funk", steps=steps, seed=seed, guidance=7, width=128)


def wait(event: threading.Event) -> None:
    assert event.wait(60)


def test_progress_counts_every_step_of_every_row(painter: Painter) -> None:
    ends = {
        "start": InterpolationEnd(prompt="a", seed=1, guidance=7),
        "end": InterpolationEnd(prompt="b", seed=2, guidance=7),
    }
    control = Recorder()
    made(painter, Interpolate(**ends, clips=2, steps=3, scheduler="pndm"), control=control)
    steps = [step for step, _ in control.reported]
    assert steps == sorted(set(steps))
    assert control.reported[-1] == (8, 8)  # PNDM calls the model once more than it has steps


def test_a_control_that_raises_stops_the_request(painter: Painter) -> None:
    control = StopsAt(2)
    with pytest.raises(Canceled, match="enough"):
        made(painter, request(steps=150), control=control)
    assert control.last[0] < control.last[1] == 150
    calls = painter._engine.calls
    made(painter, request(steps=2))
    assert painter._engine.calls - calls < 10  # the canceled row has left


def test_a_control_is_checked_while_the_request_waits(painter: Painter) -> None:
    class StopsWaiting(NoControl):
        checks = 0

        def check(self) -> None:
            self.checks += 1
            if self.checks > 3:
                raise Canceled("waited")

    held = threading.Event()
    blocker = ImageTask(painter.conditioning(request(steps=2)), SeededNoise(1), width=128)
    future = painter._engine.submit(painter._denoise_request(request(steps=2), blocker), on_step=partial(wait, held))
    with pytest.raises(Canceled, match="waited"):
        made(painter, request(steps=2), control=StopsWaiting())
    held.set()
    future.result(60)


def test_the_engine_learns_how_much_a_request_weighs(painter: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    class Heavy(NoControl):
        weight = 4.0

    weights: list[float] = []
    submit = painter._engine.submit

    def spy(*args: Any, weight: float, **options: Any) -> Future[Tensor]:
        weights.append(weight)
        return submit(*args, weight=weight, **options)

    monkeypatch.setattr(painter._engine, "submit", spy)
    made(painter, request(steps=2), control=Heavy())
    assert weights == [4.0]


def test_threads_share_batches_and_get_their_own_pictures(painter: Painter) -> None:
    alone = [made(painter, request(steps=3, seed=seed)) for seed in range(4)]
    together: dict[int, Canvas] = {}

    def run(seed: int) -> None:
        together[seed] = made(painter, request(steps=3, seed=seed))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, canvas in enumerate(alone):
        assert np.abs(canvas.pixels.astype(int) - together[seed].pixels.astype(int)).max() <= 1
