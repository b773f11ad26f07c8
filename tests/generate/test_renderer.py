"""No clip that can't be heard succeeds: pictures, their EXIF, and sounds at the edges of what is accepted."""

import io
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
import torch
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from riffusion.cli import cli
from riffusion.errors import BrokenSound, InaudibleSound, InvalidRequest, UnreadableMedia
from riffusion.generate import Clip, NoControl, Renderer
from riffusion.geometry import SpectrogramParams
from riffusion.requests import AudioFormat, parse
from riffusion.settings import Settings
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.exif import from_exif, to_exif

FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)
UPLOAD = {"upload": "u" * 22}
SECONDS = np.arange(22_050) / 44_100
TONE = 0.5 * np.sin(2 * np.pi * 440 * SECONDS)


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(Settings())


def picture(width: int = 24, params: SpectrogramParams | None = None, *, rows: slice = slice(300, 303)) -> bytes:
    pixels = np.full((1, 512, width), 255, np.uint8)
    pixels[:, rows] = 0
    return Canvas(pixels, params or SpectrogramParams()).png()


def recording(samples: NDArray[np.float64]) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, samples, 44_100, format="WAV", subtype="FLOAT")
    return file.getvalue()


def sound_of(renderer: Renderer, data: bytes, audio_format: AudioFormat = "wav") -> Clip:
    request = parse({"mode": "image-to-audio", "image": UPLOAD, "format": audio_format})
    return renderer.run(request, {"image": data}, NoControl())


def picture_of(renderer: Renderer, samples: NDArray[np.float64]) -> Clip:
    request = parse({"mode": "audio-to-image", "clip": UPLOAD, "format": "wav"})
    return renderer.run(request, {"clip": recording(samples)}, NoControl())


def held(clip: Clip) -> NDArray[np.float64]:
    samples: NDArray[np.float64] = soundfile.read(io.BytesIO(clip.audio), always_2d=True)[0]
    return samples


@pytest.mark.parametrize(
    "params",
    [
        SpectrogramParams(padded_ms=100),
        SpectrogramParams(max_hz=1000),
        SpectrogramParams(sample_rate=192_000, max_hz=96_000),
        SpectrogramParams(min_hz=9000),
        SpectrogramParams(window_ms=20, padded_ms=20),
        SpectrogramParams(power=0.01, max_value=1e-6),
        SpectrogramParams(power=4, max_value=1e15),
    ],
    ids=["padded as the window", "1 kHz", "192 kHz", "from 9 kHz", "short window", "faint", "loud"],
)
@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
def test_any_geometry_sounds_at_the_usual_level(renderer: Renderer, params: SpectrogramParams) -> None:
    for rows in (slice(200, 260), slice(0, 512)):
        samples = held(sound_of(renderer, picture(params=params, rows=rows)))
        assert len(samples) == 23 * 441
        assert 0.1 < np.abs(samples).max() < 0.9


def test_nothing_sounds_below_the_lowest_row() -> None:
    """Nothing in the picture limits what is there, so that it would grow from one iteration to the next."""
    pixels = np.random.default_rng(0).integers(0, 256, (1, 512, 24), np.uint8)
    wave = SpectrogramCodec(quality="best").decode(Canvas(pixels, SpectrogramParams(min_hz=4000)))
    power = torch.fft.rfft(wave * torch.hann_window(wave.shape[1])).abs().square()[0]
    assert float(power[: 3800 * wave.shape[1] // 44_100].sum()) < 1e-3 * float(power.sum())


def test_the_scale_changes_no_digit() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (1, 512, 24), np.uint8)
    waves = [
        SpectrogramCodec(quality="fast").decode(Canvas(pixels, SpectrogramParams(max_value=30e6 * 2.0**exponent)))
        for exponent in (-40, 0, 20)
    ]
    assert torch.equal(waves[0] * 2.0**40, waves[1])
    assert torch.equal(waves[2] * 2.0**-20, waves[1])


def test_a_scale_that_float32_does_not_hold_sounds_too(renderer: Renderer) -> None:
    """Grey 200 is (55 / 255) ** 100 of 1e-6: 1e-73."""
    pixels = np.full((1, 512, 24), 200, np.uint8)
    samples = held(sound_of(renderer, Canvas(pixels, SpectrogramParams(power=0.01, max_value=1e-6)).png()))
    assert 0.1 < np.abs(samples).max() < 0.9


@pytest.mark.parametrize(
    ("params", "rows"),
    [
        (SpectrogramParams(), slice(511, 512)),
        (SpectrogramParams(max_hz=100), slice(300, 303)),
        (SpectrogramParams(sample_rate=192_000, max_hz=96_000), slice(0, 5)),
    ],
    ids=["infrasound", "between two bins", "above half the rate"],
)
@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
def test_a_picture_that_can_not_be_heard_fails(renderer: Renderer, params: SpectrogramParams, rows: slice) -> None:
    with pytest.raises(InaudibleSound):
        sound_of(renderer, picture(params=params, rows=rows))


@pytest.mark.parametrize("audio_format", FORMATS)
def test_a_white_picture_is_silence(renderer: Renderer, audio_format: AudioFormat) -> None:
    assert not held(sound_of(renderer, picture(rows=slice(0, 0)), audio_format)).any()


@pytest.mark.parametrize("audio_format", FORMATS)
def test_two_columns_are_the_least(renderer: Renderer, audio_format: AudioFormat) -> None:
    assert len(held(sound_of(renderer, picture(2), audio_format))) == 441
    with pytest.raises(InvalidRequest, match="image: would make a picture of one column"):
        sound_of(renderer, picture(1), audio_format)


@pytest.mark.parametrize("scale", [1e-6, 1, 1e4])
@pytest.mark.parametrize("offset", [0, 0.9])
def test_recordings_of_any_level_sound_alike(renderer: Renderer, scale: float, offset: float) -> None:
    samples = held(picture_of(renderer, scale * (TONE + offset)))
    assert len(samples) == len(TONE)
    assert np.abs(samples).max() == pytest.approx(0.4, abs=0.03)
    assert abs(samples.mean()) < 0.01


@pytest.mark.parametrize(
    "samples",
    [1e-40 * TONE, 1e-12 * TONE, np.full(4410, 0.3), np.array([0.5]), 0.5 * np.sin(2 * np.pi * 8 * SECONDS)],
    ids=["denormal", "below 24 bits", "constant", "one sample", "infrasound"],
)
def test_a_recording_that_can_not_be_heard_fails(renderer: Renderer, samples: NDArray[np.float64]) -> None:
    with pytest.raises(InaudibleSound):
        picture_of(renderer, samples)


def test_a_silent_recording_is_a_white_picture(renderer: Renderer) -> None:
    clip = picture_of(renderer, np.zeros(4410))
    assert Canvas.open(clip.png).silent
    assert not held(clip).any()


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda wave: wave * torch.nan, "not finite"),
        (lambda wave: wave * 0 + torch.inf, "not finite"),
        (lambda wave: wave[:, 1:], "instead of"),
    ],
    ids=["nan", "inf", "length"],
)
def test_a_broken_sound_is_no_clip(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch, broken: object, words: str
) -> None:
    whole = SpectrogramCodec.decode

    def decode(codec: SpectrogramCodec, canvas: Canvas, *, loop: bool = False, samples: int | None = None) -> Tensor:
        made: Tensor = broken(whole(codec, canvas, loop=loop, samples=samples))  # type: ignore[operator]
        return made

    monkeypatch.setattr(SpectrogramCodec, "decode", decode)
    with pytest.raises(BrokenSound, match=words):
        sound_of(renderer, picture())


def test_on_the_command_line_it_is_an_error_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for data, words in (
        (picture(1), "one column"),
        (picture(rows=slice(511, 512)), "can be heard"),
        (picture(params=SpectrogramParams(max_hz=1)), "hardly any"),
    ):
        Path("in.png").write_bytes(data)
        result = CliRunner().invoke(cli, ["image-to-audio", "in.png", "out.wav"])
        assert result.exit_code != 0
        assert words in f"{result.output} {result.exception}"
        assert not Path("out.wav").exists()


GEOMETRIES = st.builds(
    lambda step, overlap, padding, edges, rate, power, max_value: SpectrogramParams(
        sample_rate=rate, step_ms=10 * step, window_ms=20 * step * overlap, padded_ms=20 * step * overlap * padding,
        min_hz=min(edges), max_hz=max(edges), power=power, max_value=max_value,
    ),
    st.integers(1, 2), st.integers(1, 8), st.integers(1, 3),
    st.tuples(st.integers(0, 30_000), st.integers(1, 60_000)),
    st.sampled_from([8000, 22_050, 44_100, 96_000, 192_000]),
    st.floats(0.01, 4), st.floats(1e-6, 1e15),
)  # fmt: skip


@pytest.mark.filterwarnings("ignore:At least one mel filterbank")
@settings(max_examples=20, deadline=None)
@given(GEOMETRIES, st.integers(2, 16), st.tuples(st.integers(0, 254), st.integers(0, 255)), st.booleans())
def test_any_picture_sounds_or_is_refused(
    renderer: Renderer, params: SpectrogramParams, width: int, levels: tuple[int, int], stereo: bool
) -> None:
    try:
        params = replace(from_exif(to_exif(params)), stereo=stereo)
    except UnreadableMedia:
        return
    pixels = np.random.default_rng(width).choice(np.array(levels, np.uint8), (1 + stereo, 512, width))
    try:
        clip = sound_of(renderer, Canvas(pixels, params).png())
    except InaudibleSound:
        return
    samples = held(clip)
    assert samples.shape == ((width - 1) * params.step_ms * 441 // 10, 1 + stereo)
    assert 0.001 < np.abs(samples).max() < 0.9


def test_the_operators_seed_images_are_read(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes(picture(40))
    request = parse({"mode": "image-to-audio", "image": {"seed_image": "mine"}, "format": "wav"})
    assert Renderer(Settings(seed_dir=tmp_path)).run(request, {}, NoControl()).width == 40
