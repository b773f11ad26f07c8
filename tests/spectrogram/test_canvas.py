import io

import numpy as np
import pytest
from PIL import Image

from riffusion.errors import InvalidRequest
from riffusion.geometry import SpectrogramParams, from_exif
from riffusion.seeds import list_seeds, open_seed
from riffusion.spectrogram.canvas import Canvas, Tempo, check_width, pad, padded_width
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


@pytest.mark.parametrize(("columns", "width"), [(1, 128), (128, 128), (129, 192), (512, 512), (513, 576)])
def test_the_model_paints_multiples_of_64(columns: int, width: int) -> None:
    assert padded_width(columns) == width
    assert pad(np.zeros((512, columns), np.uint8), width).shape == (512, width)


@pytest.mark.parametrize("name", ["init", "stereo"])
def test_a_picture_comes_back_exactly(name: str, request: pytest.FixtureRequest) -> None:
    canvas: Canvas = request.getfixturevalue(name)
    again = Canvas.open(write_png(canvas.image(), None, **canvas.texts()))
    assert np.array_equal(again.pixels, canvas.pixels)
    assert again.params == canvas.params
    assert again.tempo == canvas.tempo


def test_red_is_not_a_channel_of_a_grey_picture() -> None:
    canvas = Canvas.open(png(Image.new("RGB", (64, 512), "red")))
    assert not canvas.stereo
    assert canvas.pixels[0, 0, 0] == 76  # its luminance


def test_a_seed_image_tells_its_tempo() -> None:
    for seed in list_seeds():
        assert Canvas.open(open_seed(seed.name)).tempo == Tempo(seed.bpm, seed.beats_per_bar)


@pytest.mark.parametrize("bpm", ["", "nan", "-1", "1e9", "fast"])
def test_nonsense_in_a_text_chunk_is_no_tempo(bpm: str, init: Canvas) -> None:
    assert Canvas.open(write_png(init.image(), BPM=bpm)).tempo is None


def test_every_picture_carries_exif(init: Canvas) -> None:
    painted = Canvas.blank(init.grey)
    assert from_exif(open_picture(write_png(painted.image())).getexif()) == SpectrogramParams()


def test_too_wide_to_paint(init: Canvas) -> None:
    wide = Canvas(np.zeros((1, 512, 2049), np.uint8), init.params)
    with pytest.raises(InvalidRequest, match="2049 columns") as caught:
        check_width(wide, "init")
    assert caught.value.fields[0]["field"] == "init"
