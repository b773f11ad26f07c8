import io

import numpy as np
import pytest
from PIL import Image

from riffusion.geometry import SpectrogramParams
from riffusion.seeds import list_seeds, open_seed
from riffusion.spectrogram.canvas import Canvas, Tempo, pad
from riffusion.spectrogram.exif import from_exif
from riffusion.spectrogram.picture_file import open_picture, write_png


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def init() -> Canvas:
    """Noise, at 120 BPM."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 512, 210), dtype=np.uint8)
    return Canvas(pixels, SpectrogramParams(), Tempo(120.0))


@pytest.fixture
def stereo() -> Canvas:
    pixels = np.random.default_rng(1).integers(0, 256, (2, 512, 210), dtype=np.uint8)
    return Canvas(pixels, SpectrogramParams(stereo=True))


@pytest.mark.parametrize(
    ("size", "width"), [((512, 512), 512), ((500, 512), 500), ((300, 256), 600), ((2000, 1024), 1000), ((1, 4000), 1)]
)
def test_any_size_becomes_512_rows_in_proportion(size: tuple[int, int], width: int) -> None:
    canvas = Canvas.open(png(Image.new("L", size, 200)))
    assert canvas.pixels.shape == (1, 512, width)


@pytest.mark.parametrize(("columns", "width"), [(1, 128), (100, 512), (512, 512)])
def test_padding_mirrors_as_often_as_it_takes(columns: int, width: int) -> None:
    grey = np.arange(columns, dtype=np.uint8)[None]
    period = np.concatenate((grey[0], grey[0, ::-1]))
    assert np.array_equal(pad(grey, width)[0], np.resize(period, width))


@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
def test_grey_in_any_mode_is_the_same_picture(mode: str) -> None:
    """The original writes RGB, this project L."""
    ramp = Image.frombytes("L", (256, 512), bytes(range(256)) * 512)
    assert np.array_equal(Canvas.open(png(ramp.convert(mode))).pixels[0], np.asarray(ramp))


def test_stereo_is_green_and_blue(stereo: Canvas) -> None:
    levels = np.asarray(stereo.image())
    assert not levels[..., 0].any()
    assert np.array_equal(np.moveaxis(levels[..., 1:], -1, 0), stereo.pixels)


@pytest.mark.parametrize("name", ["init", "stereo"])
def test_a_picture_comes_back_exactly(name: str, request: pytest.FixtureRequest) -> None:
    canvas: Canvas = request.getfixturevalue(name)
    again = Canvas.open(canvas.png())
    assert np.array_equal(again.pixels, canvas.pixels)
    assert again.params == canvas.params
    assert again.tempo == canvas.tempo


def test_red_is_not_a_channel_of_a_grey_picture() -> None:
    canvas = Canvas.open(png(Image.new("RGB", (64, 512), "red")))
    assert not canvas.stereo
    assert canvas.pixels[0, 0, 0] == 76  # its luminance


def test_a_seed_image_carries_its_tempo() -> None:
    for seed in list_seeds():
        assert Canvas.open(open_seed(seed.name)).tempo == Tempo(seed.bpm, seed.beats_per_bar)


@pytest.mark.parametrize("bpm", ["", "nan", "-1", "1e9", "fast"])
def test_nonsense_in_a_text_chunk_is_no_tempo(bpm: str, init: Canvas) -> None:
    assert Canvas.open(write_png(init.image(), BPM=bpm)).tempo is None


def test_every_picture_carries_exif(init: Canvas) -> None:
    painted = Canvas.blank(init.grey)
    assert from_exif(open_picture(painted.png()).getexif()) == SpectrogramParams()
