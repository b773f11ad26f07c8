"""When a request shows its picture, what it shows, and what that may cost."""

import io
import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.errors import OutOfMemory
from riffusion.generate import NoControl, previews
from riffusion.generate.painter import Painter
from riffusion.generate.previews import MAX_BYTES, Previewer, Previews, encode_preview, side_by_side
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.spectrogram.canvas import Canvas, Grey
from tests.generate.asked import COMMON, UPLOAD, asked, made


class Viewer(NoControl):
    """Keeps what it is shown."""

    wants_previews = True

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def preview(self, webp: bytes) -> None:
        self.shown.append(webp)

    @property
    def pictures(self) -> list[Grey]:
        return [np.asarray(Image.open(io.BytesIO(webp)).convert("L")) for webp in self.shown]


class Clock:
    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(previews, "time", clock)
    return clock  # type: ignore[return-value]


def black(latents: Tensor) -> Grey:
    """A decoder whose pictures are black."""
    return np.zeros((512, 8 * latents.shape[-1]), np.uint8)


def step(running: list[RunningPrediction], seconds: float) -> None:
    """A step of the engine, of so many seconds for each row."""
    for prediction in running:
        prediction.complete(torch.zeros(4, 64, 64) if prediction.accept() else None, seconds, rows=1)


@pytest.mark.parametrize("width", [1, 64, 512, 2048, 64 * 512])
def test_a_file_is_small_whatever_the_picture(width: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, width), dtype=np.uint8)
    webp = encode_preview(noise)
    assert len(webp) <= MAX_BYTES
    small = Image.open(io.BytesIO(webp))
    assert small.format == "WEBP"
    assert small.height <= 256
    if width >= 64:
        assert small.width / small.height == pytest.approx(width / 512, rel=0.1)


def test_previews_are_apart_in_work_and_show_the_latest_prediction() -> None:
    viewer = Viewer()
    shown = Previews(viewer, Previewer(black))
    running = shown.begin([512], side_by_side)
    at: list[int] = []
    for number in range(1, 21):
        step(running, 0.1)
        shown.update()
        if len(viewer.shown) > len(at):
            at.append(number)
    assert at[0] == 4  # due after 0.3 s, and shown once the next step is done
    assert all(later - before >= 3 for before, later in itertools.pairwise(at))


def test_previews_cost_no_more_than_their_share(clock: Clock) -> None:
    def slow(latents: Tensor) -> Grey:
        clock.now += 0.06
        return black(latents)

    previewer, viewer = Previewer(slow), Viewer()
    previewer.record(512, 0.06)  # by an earlier request
    shown = Previews(viewer, previewer)
    running = shown.begin([512], side_by_side)
    for number in range(1, 101):
        step(running, 0.1)
        shown.update()
        assert clock.now <= 0.03 * 0.1 * number + 1e-9
    assert len(viewer.shown) == 4  # 10 s of work pay for five, of which the last is just asked for


def test_a_control_that_wants_none_gets_none() -> None:
    shown = Previews(NoControl(), Previewer(lambda _: pytest.fail("decoded")))
    running = shown.begin([512], side_by_side)
    for _ in range(10):
        step(running, 1.0)
        shown.update()
    assert not any(prediction.accept() for prediction in running)


def test_a_preview_has_what_is_done_what_runs_and_silence() -> None:
    viewer = Viewer()
    shown = Previews(viewer, Previewer(black))
    running = shown.begin([512, 512, 512], side_by_side)
    shown.finish(0, np.full((512, 512), 128, np.uint8))
    for _ in range(3):
        step(running[1:2], 1.0)
        shown.update()
    (picture,) = viewer.pictures[:1]
    thirds = [float(part.mean()) for part in np.array_split(picture, 3, axis=1)]
    assert thirds == pytest.approx([128, 0, 255], abs=4)


def test_without_memory_the_request_goes_on_without_previews() -> None:
    def full(_latents: Tensor) -> Grey:
        raise OutOfMemory("No.")

    viewer = Viewer()
    shown = Previews(viewer, Previewer(full))
    running = shown.begin([512], side_by_side)
    for _ in range(5):
        step(running, 1.0)
        shown.update()
    assert not viewer.shown
    assert not running[0].accept()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Previews as often as possible."""
    monkeypatch.setattr(previews, "INTERVAL_S", 0.0)
    monkeypatch.setattr(previews, "COST_SHARE", 1e9)


@pytest.mark.usefixtures("eager")
def test_a_painter_shows_the_picture_while_it_paints(painter: Painter) -> None:
    viewer = Viewer()
    request = TextToAudio(prompt="funk", steps=40, seed=1, guidance=7, width=128)
    made(painter, request, control=viewer)
    assert viewer.shown
    assert all(picture.shape == (256, 64) for picture in viewer.pictures)


@pytest.mark.usefixtures("eager")
def test_an_extension_is_shown_behind_what_it_extends(painter: Painter, init: Canvas) -> None:
    viewer = Viewer()
    request = asked("extend", init=UPLOAD, seconds=4.0, **COMMON | {"steps": 10})
    longer = made(painter, request, {"init": init}, viewer)
    picture = viewer.pictures[0]
    assert picture.shape[1] / picture.shape[0] == pytest.approx(longer.width / 512, rel=0.05)
    kept = picture[:, : round(picture.shape[1] * init.width / longer.width) - 2]
    expected = np.asarray(Image.fromarray(init.grey).resize(kept.shape[::-1], Image.Resampling.BOX))
    assert abs(float(kept.mean()) - float(expected.mean())) < 10
    assert float(picture[:, -4:].mean()) > 250  # the last window hasn't begun
