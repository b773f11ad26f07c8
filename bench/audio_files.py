"""What a sound costs on its way to a file: loudness, true peak, checks, encoding and decoding, as now and as before.

Before, all of the sound was oversampled for its true peak and weighted for the check, and ffmpeg also wrote WAV and
FLAC and decoded what it had encoded. Processor time, ffmpeg's included.
"""

import io
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import get_args

import soundfile
import torch
from audio_metrics import Picture
from processor_time import processor_s
from torch import Tensor
from torchaudio.functional import resample

from riffusion.audio.encode import encode_audio
from riffusion.audio.ffmpeg import convert
from riffusion.audio.loudness import TARGET_LUFS, loudness_lufs, normalize_loudness
from riffusion.audio.sound_check import audible_db, check_sound
from riffusion.audio.true_peak import CEILING_DB, limit_true_peak, true_peak_db
from riffusion.geometry import DEFAULT
from riffusion.requests import AudioFormat
from riffusion.spectrogram.codec import SpectrogramCodec

RATE = DEFAULT.sample_rate
RAW = ["-f", "f32le", "-ar", str(RATE), "-ac", "1"]
ENCODERS = {
    "mp3": ["-c:a", "libmp3lame", "-f", "mp3", "-id3v2_version", "0", "-b:a", "128k"],
    "wav": ["-c:a", "pcm_s16le", "-f", "wav"],
    "flac": ["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"],
    "ogg": ["-c:a", "libvorbis", "-q:a", "6", "-f", "ogg", "-page_duration", "1"],
}


def by_ffmpeg(wave: Tensor, audio_format: AudioFormat) -> bytes:
    """A wave [1, T] as a file."""
    options = ["-fflags", "+bitexact", "-flags:a", "+bitexact", *ENCODERS[audio_format]]
    return convert(wave.numpy().tobytes(), options, input_options=RAW, max_output=1 << 24).output


def decoded_by_ffmpeg(data: bytes) -> Tensor:
    """Wave [1, T] of a file."""
    options = ["-af", f"aresample={RATE}:resampler=soxr:precision=28:rematrix_maxval=1", "-c:a", "pcm_f32le"]
    raw = convert(data, [*options, "-f", "f32le"], max_output=1 << 24).output
    return torch.frombuffer(bytearray(raw), dtype=torch.float32)[None]


def peak_before(wave: Tensor) -> float:
    """True peak in dB, of all of the wave oversampled."""
    dense = resample(wave, RATE, 4 * RATE, lowpass_filter_width=16)
    return 20 * float(torch.log10(dense.abs().max()))


def before(wave: Tensor, audio_format: AudioFormat) -> None:
    """A wave [1, T] as a file, as it was made."""
    gain_db = min(CEILING_DB - peak_before(wave), TARGET_LUFS - loudness_lufs(wave, RATE))
    wave = wave * 10 ** (gain_db / 20)
    audible_db(wave, RATE)
    peak = peak_before(wave)
    while True:
        wave = limit_true_peak(wave, peak)
        data = by_ffmpeg(wave, audio_format)
        if audio_format in ("wav", "flac"):
            return
        decoded = decoded_by_ffmpeg(data)
        peak = peak_before(decoded)
        if peak <= CEILING_DB:
            break
    audible_db(decoded, RATE)


def now(wave: Tensor, audio_format: AudioFormat) -> None:
    """A wave [1, T] as a file."""
    wave = normalize_loudness(wave, RATE)
    check_sound(wave, RATE, samples=wave.shape[1], silent=False)
    encode_audio(wave, RATE, audio_format)


def cpu_ms(work: Callable[[], object], rounds: int) -> float:
    """Processor time of some work and the processes that it starts, median, after a first time that isn't counted."""
    work()
    times = [processor_s()]
    for _ in range(rounds):
        work()
        times.append(processor_s())
    return 1000 * statistics.median(end - start for start, end in pairwise(times))


def files(seeds: Sequence[Picture], rounds: int) -> dict[str, float]:
    """Milliseconds of each stage for a seed image's sound, medians over seeds; and of each format, before over now."""
    found: dict[str, list[float]] = {}
    for picture in seeds:
        wave = SpectrogramCodec().decode(picture.canvas)
        for name, value in {**_stages(wave, rounds), **_speedups(wave, rounds)}.items():
            found.setdefault(name, []).append(value)
    return {name: statistics.median(values) for name, values in found.items()}


def _stages(wave: Tensor, rounds: int) -> dict[str, float]:
    wave = normalize_loudness(wave, RATE)
    mp3 = by_ffmpeg(wave, "mp3")
    work: dict[str, Callable[[], object]] = {
        "loudness": partial(loudness_lufs, wave, RATE),
        "true_peak_before": partial(peak_before, wave),
        "true_peak": partial(true_peak_db, wave, RATE),
        "check_before": partial(audible_db, wave, RATE),
        "check": partial(check_sound, wave, RATE, samples=wave.shape[1], silent=False),
        "ffmpeg_start": partial(by_ffmpeg, wave[:, :44], "mp3"),
        "ffmpeg_mp3": partial(by_ffmpeg, wave, "mp3"),
        "decode_before": partial(decoded_by_ffmpeg, mp3),
        "decode": lambda: soundfile.read(io.BytesIO(mp3), dtype="float32"),
    }
    return {f"file_{name}_ms": cpu_ms(each, rounds) for name, each in work.items()}


def _speedups(wave: Tensor, rounds: int) -> dict[str, float]:
    found = {}
    for audio_format in get_args(AudioFormat):
        times = [cpu_ms(partial(make, wave, audio_format), rounds) for make in (before, now)]
        found[f"file_{audio_format}_ms"] = times[1]
        found[f"file_{audio_format}_speedup"] = times[0] / times[1]
    return found
