import io
from typing import get_args
from unittest.mock import Mock

import pytest
import soundfile
import torch
from torch import Tensor

from riffusion.audio import encode
from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio.ffmpeg import convert
from riffusion.audio.true_peak import CEILING_DB, true_peak_db
from riffusion.errors import InaudibleSound
from riffusion.requests import AudioFormat

FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)
RATE = 44_100


def lag(decoded: Tensor, original: Tensor) -> int:
    """Samples by which the one comes after the other."""
    size = 2 * original.shape[1]
    spectra = [torch.fft.rfft(wave[0], n=size) for wave in (decoded, original)]
    peak = int(torch.fft.irfft(spectra[0] * spectra[1].conj(), n=size).argmax())
    return peak if peak < size // 2 else peak - size


def by_libsndfile(data: bytes) -> Tensor:
    samples, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return torch.from_numpy(samples.T.copy())


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("channels", [1, 2])
def test_gapless_in_two_decoders(music: Tensor, audio_format: AudioFormat, channels: int) -> None:
    wave = music[:channels]
    data = encode_audio(wave, RATE, audio_format, {"mode": "loop", "prompt": "p"})
    for decoded in (decode_audio(data, max_seconds=10), by_libsndfile(data)):
        assert decoded.shape == wave.shape
        assert lag(decoded, wave) == 0


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("beyond", [0, 1, 27, 46, 47, 1151])
def test_sounds_of_any_length(music: Tensor, audio_format: AudioFormat, beyond: int) -> None:
    """Lengths around whole frames of MP3, at which encoders and decoders differ in what they add and discard."""
    wave = music[:1, : 40 * 1152 + beyond]
    surplus = decode_audio(encode_audio(wave, RATE, audio_format), max_seconds=2).shape[1] - wave.shape[1]
    assert surplus == (47 - beyond if audio_format == "mp3" and 0 < beyond < 47 else 0)


@pytest.mark.parametrize("audio_format", FORMATS)
def test_very_short_sounds(audio_format: AudioFormat) -> None:
    wave = 0.3 * torch.sin(torch.arange(441) / 9)[None]
    assert decode_audio(encode_audio(wave, RATE, audio_format), max_seconds=1).shape == wave.shape


def test_loud_noise_that_peaks_again_at_each_encoding_ends_under_the_ceiling() -> None:
    random = torch.Generator().manual_seed(5)
    for _ in range(12):
        noise = torch.rand(1, 8725, generator=random).round() * 2 - 1
        decoded = decode_audio(encode_audio(noise, RATE, "ogg"), max_seconds=2)
        assert true_peak_db(decoded, RATE) <= CEILING_DB


@pytest.mark.parametrize("audio_format", FORMATS)
def test_never_over_the_ceiling(audio_format: AudioFormat) -> None:
    """A full-scale square wave, which lossy formats make louder still."""
    square = torch.sign(torch.sin(2 * torch.pi * 997 * torch.arange(RATE) / RATE))[None]
    decoded = decode_audio(encode_audio(square, RATE, audio_format), max_seconds=2)
    assert true_peak_db(decoded, RATE) <= CEILING_DB
    assert true_peak_db(decoded, RATE) > CEILING_DB - 3


def test_levels_below_the_ceiling_are_kept(music: Tensor) -> None:
    decoded = decode_audio(encode_audio(0.5 * music, RATE, "wav"), max_seconds=10)
    assert float((decoded - 0.5 * music).abs().max()) < 1e-4


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("audio_format", get_args(AudioFormat))
def test_a_tone_keeps_its_level(audio_format: AudioFormat, channels: int) -> None:
    tone = 0.2 * torch.sin(2 * torch.pi * 440 * torch.arange(2 * 44_100) / 44_100).expand(channels, -1)
    decoded = decode_audio(encode_audio(tone, 44_100, audio_format), max_seconds=10)
    assert float(decoded.square().mean().sqrt() / tone.square().mean().sqrt()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_lossless_samples_are_the_nearest(music: Tensor, audio_format: AudioFormat) -> None:
    decoded = decode_audio(encode_audio(0.5 * music, RATE, audio_format), max_seconds=10)
    assert torch.equal(decoded, (0.5 * music * 2**15).round() / 2**15)


@pytest.mark.parametrize(("audio_format", "expected"), [("mp3", 1), ("ogg", 1), ("wav", 0), ("flac", 0)])
def test_processes(music: Tensor, audio_format: AudioFormat, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Mock(wraps=convert)
    monkeypatch.setattr(encode, "convert", runs)
    encode_audio(0.5 * music, RATE, audio_format)
    assert runs.call_count == expected


@pytest.mark.parametrize("audio_format", FORMATS)
@pytest.mark.parametrize("rate", [8000, 12_345, 96_000, 192_000])
def test_other_rates(music: Tensor, audio_format: AudioFormat, rate: int) -> None:
    """MP3 has no 12,345 Hz and none over 48,000."""
    for samples in (rate // 10, rate // 10 + 1, rate // 10 + 7, 20_000):
        data = encode_audio(music[:, :samples], rate, audio_format)
        decoded = decode_audio(data, max_seconds=10, sample_rate=rate)
        assert abs(decoded.shape[1] - samples) / rate < 0.006


def test_a_file_that_lost_its_sound_is_not_made() -> None:
    high = 0.5 * torch.sin(2 * torch.pi * 21_500 * torch.arange(RATE) / RATE)[None]
    with pytest.raises(InaudibleSound):
        encode_audio(high, RATE, "mp3")


@pytest.mark.parametrize("audio_format", FORMATS)
def test_the_same_bytes_every_time(music: Tensor, audio_format: AudioFormat) -> None:
    recipe = {"mode": "riff", "prompt": "p", "seed": 3}
    assert encode_audio(music, RATE, audio_format, recipe) == encode_audio(music, RATE, audio_format, recipe)


@pytest.mark.parametrize(("channels", "least"), [(1, 128), (2, 192)])
def test_mp3_has_bits_enough(music: Tensor, channels: int, least: int) -> None:
    data = encode_audio(music[:channels], RATE, "mp3")
    assert 8 * len(data) / (music.shape[1] / RATE) >= least * 1000
