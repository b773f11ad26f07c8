from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from riffusion.geometry import SpectrogramParams, from_exif, to_exif
from riffusion.spectrogram import codec as codec_module
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.picture_file import with_exif

CODEC = SpectrogramCodec(quality="draft")


def pixel_error(codec: SpectrogramCodec, picture: Image.Image, wave: Tensor, *, loop: bool = False) -> float:
    """Mean difference, 0 to 255, between a picture and that of its own sound, at the same scale."""
    params = from_exif(picture.getexif())
    mel = 32768 * mel_spectrogram(wave, replace(params, sample_rate=44_100), loop=loop)
    again = (255 - 255 * (mel / params.max_value).clamp(0, 1) ** params.power).floor().flip(1).numpy()
    pixels = np.asarray(picture)
    pixels = np.moveaxis(pixels[..., 1:], -1, 0) if params.stereo else pixels[None]
    return float(np.abs(again - pixels).mean())


def high_energy(wave: Tensor) -> float:
    """Energy above 11 kHz of a short piece, in dB."""
    spectrum = torch.fft.rfft(wave * torch.hann_window(len(wave))).abs().square()
    return 10 * float(torch.log10(spectrum[len(wave) // 4 :].sum() + 1e-20))


def test_sound_to_picture_to_sound(wave: Tensor) -> None:
    picture = CODEC.encode(wave)
    again = CODEC.decode(picture)
    assert picture.mode == "L"
    assert picture.size == (101, 512)
    assert again.shape == wave.shape
    assert pixel_error(CODEC, picture, again) < 3


def test_quality_costs_error(wave: Tensor) -> None:
    picture = CODEC.encode(wave)
    codecs = [SpectrogramCodec(quality=quality) for quality in ("draft", "standard", "best")]
    errors = [pixel_error(codec, picture, codec.decode(picture)) for codec in codecs]
    assert errors == sorted(errors, reverse=True)


def test_the_same_samples_every_time_and_in_every_thread(wave: Tensor) -> None:
    picture = CODEC.encode(wave)
    with ThreadPoolExecutor(4) as threads:
        waves = list(threads.map(CODEC.decode, [picture] * 4))
    assert all(torch.equal(one, CODEC.decode(picture)) for one in waves)


def test_level_is_kept(wave: Tensor) -> None:
    for gain in (0.01, 1.0):
        again = CODEC.decode(CODEC.encode(gain * wave))
        assert float(again.square().mean() / (gain * wave).square().mean()) == pytest.approx(1, abs=0.15)


def test_silence_is_silence() -> None:
    picture = CODEC.encode(torch.zeros(1, 44_100))
    assert picture.getextrema() == (255, 255)
    assert not CODEC.decode(picture).any()
    assert not CODEC.decode(picture, loop=True).any()


def test_silence_next_to_sound(wave: Tensor) -> None:
    parts = [Image.new("L", (30, 512), 255), CODEC.encode(wave), Image.new("L", (30, 512), 255)]
    sound = torch.cat(list(CODEC.decode_run(parts)), dim=1)
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
    column = Image.new("L", (1, 512), 90)
    assert CODEC.decode(column).shape == (1, 0)
    assert CODEC.decode(column, loop=True).shape == (1, 441)


def test_stereo_channels_stay_together(wave: Tensor) -> None:
    """What comes from the middle must not cancel when the channels are added."""
    sound = torch.cat([wave, 0.5 * wave])
    picture = CODEC.encode(sound)
    again = CODEC.decode(picture)
    assert picture.mode == "RGB"
    assert from_exif(picture.getexif()).stereo
    assert pixel_error(CODEC, picture, again) < 3
    assert float(torch.corrcoef(again)[0, 1]) > 0.95


def test_a_loop_has_no_seam(wave: Tensor) -> None:
    picture = CODEC.encode(wave, loop=True)
    loop = CODEC.decode(picture, loop=True)
    assert loop.shape == (1, 100 * 441)
    assert pixel_error(CODEC, picture, loop, loop=True) < 3
    twice = loop[0].repeat(2)
    seam = high_energy(twice[len(loop[0]) - 256 : len(loop[0]) + 256])
    everywhere = [high_energy(twice[at : at + 512]) for at in range(1000, 40_000, 500)]
    assert seam < max(everywhere)


@pytest.mark.parametrize("cuts", [(50,), (3, 4, 60), (90,)])
def test_a_run_of_pictures_is_one_sound(wave: Tensor, cuts: tuple[int, ...]) -> None:
    picture = CODEC.encode(wave)
    edges = [0, *cuts, picture.width]
    parts = [picture.crop((begin, 0, end, 512)) for begin, end in pairwise(edges)]
    sound = torch.cat(list(CODEC.decode_run(parts)), dim=1)
    assert sound.shape == wave.shape
    assert pixel_error(CODEC, picture, sound) < 1.1 * pixel_error(CODEC, picture, CODEC.decode(picture))


def test_a_run_rewrites_nothing(wave: Tensor) -> None:
    picture = CODEC.encode(wave)
    first, second = picture.crop((0, 0, 60, 512)), picture.crop((60, 0, 101, 512))
    run = CODEC.decode_run([first, second])
    assert torch.equal(next(run), next(CODEC.decode_run([first])))


def test_a_run_asks_for_the_next_picture_only_when_it_has_given_the_last(wave: Tensor) -> None:
    asked = []

    def pictures() -> object:
        for index in range(2):
            asked.append(index)
            yield CODEC.encode(wave)

    run = CODEC.decode_run(pictures())  # type: ignore[arg-type]  # a generator
    next(run)
    assert asked == [0]


def test_long_pictures_go_stretch_by_stretch(wave: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = CODEC.encode(wave)
    whole = CODEC.decode(picture)
    monkeypatch.setattr(codec_module, "_STRETCH", 30)
    pieces = CODEC.decode(picture)
    assert pieces.shape == whole.shape
    assert pixel_error(CODEC, picture, pieces) < 1.1 * pixel_error(CODEC, picture, whole)


def test_the_accelerators_path_gives_the_same_sound(wave: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain torch, here on the CPU."""
    for channels, loop in ((1, False), (2, False), (1, True)):
        picture = CODEC.encode(wave.repeat(channels, 1), loop=loop)
        compiled = CODEC.decode(picture, loop=loop)
        other = SpectrogramCodec(quality="draft")
        monkeypatch.setattr(other, "_compiled", False)
        torch.testing.assert_close(other.decode(picture, loop=loop), compiled, rtol=0, atol=1e-4)


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
def test_a_pictures_exif_is_followed(wave: Tensor, params: SpectrogramParams) -> None:
    wave = wave[:, : 30 * 441]
    sound = wave[:, :: 44_100 // params.sample_rate]
    picture = SpectrogramCodec(params).encode(sound)
    again = CODEC.decode(picture)
    assert again.shape[1] == pytest.approx(wave.shape[1], abs=441)
    assert float(again.square().mean() / sound.square().mean()) == pytest.approx(1, abs=0.25)


def test_pictures_of_any_kind_make_a_sound() -> None:
    drawing = Image.new("RGB", (300, 200), "white")
    drawing.paste((200, 30, 60), (50, 90, 250, 110))
    photograph = with_exif(Image.effect_mandelbrot((60, 40), (-2, -1, 1, 1), 20), Image.Exif())
    for picture in (drawing, photograph):
        sound = CODEC.decode(picture)
        assert sound.shape == (1, (round(picture.width * 512 / picture.height) - 1) * 441)
        assert sound.isfinite().all()
        assert sound.any()


def test_a_picture_of_the_original(wave: Tensor) -> None:
    """RGB grey with its tags: the same sound as ours."""
    picture = CODEC.encode(wave)
    original = with_exif(Image.merge("RGB", [picture] * 3), to_exif(from_exif(picture.getexif())))
    assert torch.equal(CODEC.decode(original), CODEC.decode(picture))
