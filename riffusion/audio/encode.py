"""A wave as a file.

The file is made here a moment before it is decoded, so that no process with limits is needed to decode it.
"""

import io
from collections.abc import Mapping
from typing import Any

import soundfile
import torch
from torch import Tensor

from riffusion.audio.ffmpeg import convert
from riffusion.audio.recipe import tag_audio
from riffusion.audio.sound_check import check_sound
from riffusion.audio.true_peak import CEILING_DB, limit_true_peak, true_peak_db
from riffusion.requests import AudioFormat

# The MP3 goes to a seekable file, where its Info tag with the encoder's delay and padding is written last: players then
# play exactly the samples that were encoded. libsndfile has the same encoder, but at a setting that takes thrice as
# long.
_LOSSY: dict[AudioFormat, tuple[str, ...]] = {
    "mp3": ("-c:a", "libmp3lame", "-f", "mp3", "-id3v2_version", "0", "-b:a"),
    # A page for each packet: of a stream in a single page, as libsndfile writes it, ffmpeg decodes too few samples or
    # too many.
    "ogg": ("-c:a", "libvorbis", "-q:a", "6", "-f", "ogg", "-page_duration", "1"),
}
_MP3_BITRATE = {1: "128k", 2: "224k"}
_MP3_SCALE = {1: 0.95, 2: 0.98}  # by which the encoder turns sounds down at these rates, as measured on tones
# The encoder delays by 1105 samples. Where it and the sound nearly fill the last frame of 1152, another follows, and
# decoders discard no more than one at the end: up to this many samples of it remain.
_MP3_SURPLUS = 46
_ATTEMPTS = 6
_MORE_DB = 0.3  # that each further attempt turns a wave down by, since its peak needn't fall with it


def encode_audio(
    wave: Tensor, sample_rate: int, audio_format: AudioFormat, recipe: Mapping[str, Any] | None = None
) -> bytes:
    """A wave [C, T] in ±1 (C is 1 or 2) as the bytes of a file, tagged from `recipe`, the request that made it.

    Every format decodes to T samples at lag 0, but ffmpeg and libsndfile play up to 46 more of an MP3 where T % 1152 is
    1 to 46. It decodes to a true peak of at most `CEILING_DB`: a louder wave, or one that a lossy format makes louder,
    is turned down. The same wave gives the same bytes.

    Raises:
        JobError: what a lossy format makes of it fails `check_sound`.
    """
    encode = _lossy if audio_format in _LOSSY else _lossless
    data = encode(wave, sample_rate, audio_format)
    return tag_audio(data, audio_format, recipe) if recipe is not None else data


def _lossless(wave: Tensor, sample_rate: int, audio_format: AudioFormat) -> bytes:
    limited = limit_true_peak(wave.detach().float(), true_peak_db(wave, sample_rate))
    samples = (limited.T * 2**15).round().to(torch.int16).numpy()
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, "PCM_16", format=audio_format.upper())
    return file.getvalue()


def _lossy(wave: Tensor, sample_rate: int, audio_format: AudioFormat) -> bytes:
    for attempt in range(_ATTEMPTS):
        data = _by_ffmpeg(wave, sample_rate, audio_format)
        decoded, rate = _decoded(data)  # MP3 has nine rates: of any other, the nearest is taken
        peak = true_peak_db(decoded, rate)
        if peak <= CEILING_DB:
            break
        wave = limit_true_peak(wave, peak + _MORE_DB * attempt)
    samples = round(wave.shape[1] * rate / sample_rate)
    if audio_format == "mp3" and samples < decoded.shape[1] <= samples + _MP3_SURPLUS:
        decoded = decoded[:, :samples]
    check_sound(decoded, rate, samples=samples, silent=not wave.any())
    return data


def _by_ffmpeg(wave: Tensor, sample_rate: int, audio_format: AudioFormat) -> bytes:
    channels, samples = wave.shape
    if audio_format == "mp3":
        wave = wave / _MP3_SCALE[channels]
    raw = wave.detach().float().T.contiguous().numpy().tobytes()
    options = [*_LOSSY[audio_format], *((_MP3_BITRATE[channels],) if audio_format == "mp3" else ())]
    return convert(
        raw,
        ["-fflags", "+bitexact", "-flags:a", "+bitexact", *options],
        input_options=["-f", "f32le", "-ar", str(sample_rate), "-ac", str(channels)],
        max_output=samples * channels * 4 + (1 << 20),
    ).output


def _decoded(data: bytes) -> tuple[Tensor, int]:
    """Wave [C, T] of a file, and its rate in Hz."""
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    return torch.from_numpy(samples.T), rate
