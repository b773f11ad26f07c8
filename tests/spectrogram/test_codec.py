from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from riffusion.geometry import SpectrogramParams
from riffusion.spectrogram import codec as codec_module
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.exif import to_exif, with_exif
from riffusion.spectrogram.mel import mel_spectrogram

CODEC = SpectrogramCodec(quality="fast")


def pixel_error(canvas: Canvas, wave: Tensor, *, loop: bool = False) -> float:
    """Mean difference, 0 to 255, between a picture and that of its own sound, at the same scale."""
    mel = 32768 * mel_spectrogram(wave, canvas.params, loop=loop)
    again = (255 - 255 * (mel / canvas.params.max_value).clamp(0, 1) ** canvas.params.power).floor().flip(1).numpy()
    return float(np.abs(again - canvas.pixels).mean())


def high_energy(wave: Tensor) -> float:
    """Energy above 11 kHz of a short piece, in dB."""
    spectrum = torch.fft.rfft(wave * torch.hann_window(len(wave))).abs().square()
    return 10 * float(torch.log10(spectrum[len(wave) // 4 :].sum() + 1e-20))


def test_sound_to_canvas_to_sound(wave: Tensor) -> None:
    canvas = CODEC.encode(wave)
    again = CODEC.decode(canvas)
    assert canvas.pixels.shape == (1, 512, 101)
    assert again.shape == wave.shape
    assert pixel_error(canvas, again) < 3


def test_quality_costs_error(wave: Tensor) -> None:
    canvas = CODEC.encode(wave)
    codecs = [SpectrogramCodec(quality=quality) for quality in ("fast", "standard", "best")]
    errors = [pixel_error(canvas, codec.decode(canvas)) for codec in codecs]
    assert errors == sorted(errors, reverse=True)


def test_the_same_samples_every_time_and_in_every_thread(wave: Tensor) -> None:
    canvas = CODEC.encode(wave)
    with ThreadPoolExecutor(4) as threads:
        waves = list(threads.map(CODEC.decode, [canvas] * 4))
    assert all(torch.equal(one, CODEC.decode(canvas)) for one in waves)


def test_level_is_kept(wave: Tensor) -> None:
    for gain in (0.01, 1.0):
        again = CODEC.decode(CODEC.encode(gain * wave))
        assert float(again.square().mean() / (gain * wave).square().mean()) == pytest.approx(1, abs=0.15)


def test_silence_is_silence() -> None:
    canvas = CODEC.encode(torch.zeros(1, 44_100))
    assert (canvas.pixels == 255).all()
    assert not CODEC.decode(canvas).any()
    assert not CODEC.decode(canvas, loop=True).any()


def test_silence_next_to_sound(wave: Tensor) -> None:
    canvas = CODEC.encode(wave)
    silent = np.full((1, 512, 30), 255, np.uint8)
    sound = CODEC.decode(replace(canvas, pixels=np.concatenate([silent, canvas.pixels, silent], axis=2)))
    assert sound.isfinite().all()
    assert float(sound[:, : 20 * 441].abs().max()) < 1e-3 * float(sound.abs().max())


@pytest.mark.parametrize("samples", [1, 441, 442, 2000, 44_100, 44_101])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_length_comes_back(wave: Tensor, samples: int, channels: int) -> None:
    sound = wave.repeat(channels, 2)[:, :samples]
    again = CODEC.decode(CODEC.encode(sound), samples=samples)
    assert again.shape == sound.shape
    assert again.isfinite().all()


def test_a_single_column() -> None:
    column = Canvas.blank(np.full((512, 1), 90, np.uint8))
    assert CODEC.decode(column).shape == (1, 0)
    assert CODEC.decode(column, loop=True).shape == (1, 441)


def test_stereo_channels_stay_together(wave: Tensor) -> None:
    """What comes from the middle must not cancel when the channels are added."""
    sound = torch.cat([wave, 0.5 * wave])
    canvas = CODEC.encode(sound)
    again = CODEC.decode(canvas)
    assert canvas.stereo
    assert canvas.params.stereo
    assert pixel_error(canvas, again) < 3
    assert float(torch.corrcoef(again)[0, 1]) > 0.95


def test_a_loop_has_no_seam(wave: Tensor) -> None:
    canvas = CODEC.encode(wave, loop=True)
    loop = CODEC.decode(canvas, loop=True)
    assert loop.shape == (1, 100 * 441)
    assert pixel_error(canvas, loop, loop=True) < 3
    twice = loop[0].repeat(2)
    seam = high_energy(twice[len(loop[0]) - 256 : len(loop[0]) + 256])
    everywhere = [high_energy(twice[at : at + 512]) for at in range(1000, 40_000, 500)]
    assert seam < max(everywhere)


def test_long_pictures_go_stretch_by_stretch(wave: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = CODEC.encode(wave)
    whole = CODEC.decode(canvas)
    monkeypatch.setattr(codec_module, "_STRETCH", 30)
    pieces = CODEC.decode(canvas)
    assert pieces.shape == whole.shape
    assert pixel_error(canvas, pieces) < 1.1 * pixel_error(canvas, whole)


@pytest.mark.parametrize(
    "params",
    [
        SpectrogramParams(frequencies=256, max_hz=8000, max_value=5e6),
        SpectrogramParams(sample_rate=22_050, max_value=5e6),
        SpectrogramParams(step_ms=20, window_ms=200, max_value=5e6),
        SpectrogramParams(window_ms=93, max_value=5e6),
        SpectrogramParams(min_hz=100, power=0.5, max_value=5e6),
    ],
    ids=["bands", "rate", "long steps", "odd window", "power"],
)
def test_a_pictures_geometry_is_followed(wave: Tensor, params: SpectrogramParams) -> None:
    wave = wave[:, : 30 * 441]
    sound = wave[:, :: 44_100 // params.sample_rate]
    canvas = SpectrogramCodec(params).encode(sound)
    again = CODEC.decode(canvas)
    assert again.shape[1] == pytest.approx(wave.shape[1], abs=441)
    assert float(again.square().mean() / sound.square().mean()) == pytest.approx(1, abs=0.25)


def test_pictures_of_any_kind_make_a_sound() -> None:
    drawing = Image.new("RGB", (300, 200), "white")
    drawing.paste((200, 30, 60), (50, 90, 250, 110))
    photograph = with_exif(Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 20), Image.Exif())
    for picture in (drawing, photograph):
        sound = CODEC.decode(Canvas.of(picture))
        assert sound.shape == (1, (round(picture.width * 512 / picture.height) - 1) * 441)
        assert sound.isfinite().all()
        assert sound.any()


def test_a_picture_of_the_original(wave: Tensor) -> None:
    """RGB grey with its tags: the same sound as ours."""
    canvas = CODEC.encode(wave)
    original = with_exif(Image.merge("RGB", [canvas.image()] * 3), to_exif(canvas.params))
    assert torch.equal(CODEC.decode(Canvas.of(original)), CODEC.decode(canvas))
