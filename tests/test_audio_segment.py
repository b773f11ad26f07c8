import array
import builtins
import io
import random
import wave
from typing import Any

import pytest
import torch
from pydub import AudioSegment

from riffusion.audio.decode import decode_audio
from riffusion.audio.encode import encode_audio
from riffusion.audio_segment import segment_of, wav_of
from riffusion.errors import ToolMissing, UnreadableMedia
from riffusion.generate import Clip
from riffusion.requests import AudioFormat

RATE = 44_100
FRAMES = 4001
CODES = {1: "b", 2: "h", 4: "i"}


def numbers(width: int, channels: int) -> "array.array[int]":
    """Samples over the whole range, both ends included."""
    top = 1 << (8 * width - 1)
    drawn = random.Random(width).choices(range(-top, top), k=FRAMES * channels - 2)  # noqa: S311  seeded
    return array.array(CODES[width], [-top, top - 1, *drawn])


def segment(width: int, channels: int, rate: int = RATE) -> AudioSegment:
    return AudioSegment(data=numbers(width, channels).tobytes(), sample_width=width, frame_rate=rate, channels=channels)


def clip(audio: bytes, audio_format: AudioFormat, channels: int, frames: int) -> Clip:
    return Clip(b"", audio, audio_format, frames / RATE, RATE, channels, 512, 512)


def decoded(made: AudioSegment, **options: Any) -> torch.Tensor:
    return decode_audio(wav_of(made), max_seconds=10, **options)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_a_segment_comes_in_exactly(width: int, channels: int) -> None:
    """32 bits are rounded to the 24 that a float32 holds."""
    exact = torch.tensor(numbers(width, channels), dtype=torch.float64) / (1 << (8 * width - 1))
    assert torch.equal(decoded(segment(width, channels)), exact.float().view(-1, channels).T)


def test_24_bits_come_in_exactly() -> None:
    """pydub holds them as 32 bits, of which the lowest eight are its filling."""
    samples = [-(1 << 23), (1 << 23) - 1, -1, 0, 1, 123_456]
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setparams((1, 3, RATE, 0, "NONE", ""))
        written.writeframes(b"".join(sample.to_bytes(3, "little", signed=True) for sample in samples))
    file.seek(0)
    made = decoded(AudioSegment.from_file(file, "wav"))
    assert float((made[0] * (1 << 23) - torch.tensor(samples)).abs().max()) <= 1


def test_other_rates_are_resampled_and_more_channels_mixed() -> None:
    assert decoded(segment(2, 6, 22_050)).shape == (2, 2 * FRAMES)


@pytest.mark.parametrize(("channels", "rate"), [(2, 4000), (9, 44_100)])
def test_limits_are_those_of_files(channels: int, rate: int) -> None:
    with pytest.raises(UnreadableMedia):
        decoded(segment(2, channels, rate))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("audio_format", ["wav", "flac"])
def test_a_lossless_clip_goes_out_exactly(audio_format: AudioFormat, channels: int) -> None:
    pcm = array.array("h", [sample // 2 for sample in numbers(2, channels)])  # under the ceiling's peak
    sound = 0.5 * torch.tensor(pcm, dtype=torch.float32).view(-1, channels).T / 32_768
    audio = encode_audio(sound, RATE, audio_format, {"mode": "loop"})
    made = clip(audio, audio_format, channels, FRAMES).segment()
    assert isinstance(made, AudioSegment)
    assert (made.frame_rate, made.channels, made.sample_width, int(made.frame_count())) == (RATE, channels, 2, FRAMES)
    held = torch.tensor(made.get_array_of_samples(), dtype=torch.float32).view(-1, channels).T / 32_768
    assert torch.equal(held, decode_audio(audio, max_seconds=10))
    assert torch.equal(held, decoded(made))


@pytest.mark.parametrize("audio_format", ["mp3", "ogg"])
def test_a_lossy_clip_is_decoded_by_the_projects_own_decoder(
    audio_format: AudioFormat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AudioSegment, "converter", "/nowhere/ffmpeg")
    sound = 0.3 * torch.sin(torch.arange(FRAMES) / 9)[None]
    audio = encode_audio(sound, RATE, audio_format)
    made = clip(audio, audio_format, 1, FRAMES).segment()
    held = torch.tensor(made.get_array_of_samples(), dtype=torch.float32) / 32_768
    assert float((held - decode_audio(audio, max_seconds=10)[0]).abs().max()) <= 0.51 / 32_768


def test_without_pydub_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "pydub":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ToolMissing, match=r"riffusion\[worker\]"):
        segment_of(b"", RATE, 1)
