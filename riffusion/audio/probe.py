"""What an audio file holds, as ffmpeg decodes it under limits. No numpy: the API imports it."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from riffusion.audio.ffmpeg import Converted, convert
from riffusion.errors import UnreadableMedia

MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 8_000, 192_000
_FRAME = 4096  # samples a listed frame, whatever the file's own frames are
_FRAME_LINES = 8 << 20  # bytes of that list; a line takes some 60
_PCM, _MIN_BITS = 1, 8
LOUDEST = 2.0**16
"""Largest sample that is taken, full scale being 1: some programs write 16-bit samples as floats as they are."""
_RANGE = "aformat=sample_fmts=flt,astats=measure_perchannel=none:measure_overall=Min_level+Max_level+Number_of_NaNs"
_UNKNOWN_SIZE = 0x7FFFFFFF  # WAV written to a pipe has no size, or this much


@dataclass(frozen=True)
class AudioInfo:
    """A file that `decode_audio` will take."""

    duration_s: float
    """In seconds, over 0."""
    channels: int
    """1 to `MAX_CHANNELS`."""
    sample_rate: int
    """In Hz, `MIN_RATE` to `MAX_RATE`."""


def probe_audio(data: bytes | Path, *, max_seconds: float) -> AudioInfo:
    """Decodes the whole file once, keeping nothing.

    A truncated file is found by the length in its header; an Ogg file has none, and one that was cut between two pages
    passes as a shorter file.

    Raises:
        UnreadableMedia: no audio, zero-length, truncated, longer than `max_seconds`, more than 8 channels, fewer
            than 8 bits a sample, a sample rate outside 8 to 192 kHz, or samples that are no numbers or over `LOUDEST`.
    """
    wav = _wav_chunks(data)
    if wav and wav.codec == _PCM and wav.bits < _MIN_BITS:
        raise UnreadableMedia(f"The WAV has {wav.bits} bits a sample; 8 to 64 are taken.")  # ffmpeg would read it as 8
    # framecrc lists every decoded frame, in a form made for machines.
    options = ["-t", f"{max_seconds + 1:.3f}", "-af", f"{_RANGE},asetnsamples={_FRAME}:pad=0", "-c:a", "pcm_s16le"]
    listing = convert(data, [*options, "-f", "framecrc"], max_output=_FRAME_LINES)
    info = _info(listing.output.decode())
    if not MIN_RATE <= info.sample_rate <= MAX_RATE:
        raise UnreadableMedia(f"The audio's sample rate is {info.sample_rate} Hz; {MIN_RATE} to {MAX_RATE} are taken.")
    if info.channels > MAX_CHANNELS:
        raise UnreadableMedia(f"The audio has {info.channels} channels; at most {MAX_CHANNELS} are taken.")
    if info.duration_s > max_seconds:
        raise UnreadableMedia(f"The audio is longer than the {max_seconds:g} seconds that are allowed.")
    if _is_truncated(listing, info) or (wav and wav.missing > 0):
        raise UnreadableMedia("The audio file is truncated: it is shorter than its header says.")
    _check_range(listing.log)
    return info


def _check_range(log: str) -> None:
    """Refuses samples that only float formats can hold and no sound has, by ffmpeg's statistics."""
    found = dict(re.findall(r"(Min level|Max level|Number of NaNs): (\S+)$", log, re.MULTILINE))
    if float(found.get("Number of NaNs", 0)):
        raise UnreadableMedia("The audio has samples that are not numbers: export it again.")
    peak = max((abs(float(found[level])) for level in ("Min level", "Max level") if level in found), default=0.0)
    if peak > LOUDEST:
        raise UnreadableMedia(f"The audio's samples reach {peak:.2g}; full scale is 1. Export it at a lower level.")


def _info(listing: str) -> AudioInfo:
    rate = re.search(r"^#sample_rate 0: (\d+)$", listing, re.MULTILINE)
    # stream, dts, pts, duration, size, checksum
    frames = re.findall(r"^0, *-?\d+, *-?\d+, *(\d+), *(\d+),", listing, re.MULTILINE)
    samples = sum(int(duration) for duration, _ in frames)
    if rate is None or not samples:
        raise UnreadableMedia("The file holds no audio.")
    channels = int(frames[0][1]) // (2 * int(frames[0][0]))
    return AudioInfo(samples / int(rate[1]), channels, int(rate[1]))


def _is_truncated(listing: Converted, info: AudioInfo) -> bool:
    """Whether there is less sound than the container declares. Its mere estimate doesn't count."""
    if "partial file" in listing.log:
        return True
    declared = re.search(r"^  Duration: (\d+):(\d+):(\d+\.\d+)", listing.log, re.MULTILINE)
    if declared is None or "Estimating duration" in listing.log:
        return False
    hours, minutes, seconds = (float(part) for part in declared.groups())
    return info.duration_s < 0.99 * (3600 * hours + 60 * minutes + seconds) - 0.1


@dataclass(frozen=True)
class _WavChunks:
    """The headers of a WAV file."""

    codec: int
    bits: int
    """Of a sample."""
    missing: int
    """Bytes of the data chunk past the end of the file."""


def _wav_chunks(data: bytes | Path) -> _WavChunks | None:
    """Of a WAV file; None of any other. ffmpeg takes one whose data runs past its end for one written to a pipe."""
    if isinstance(data, Path):
        size = data.stat().st_size
        with data.open("rb") as file:
            head = file.read(1 << 16)
    else:
        head, size = data[: 1 << 16], len(data)
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    at, codec, bits = 12, 0, 0
    while at + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, at)
        at += 8
        if name == b"fmt " and at + 16 <= len(head):
            codec, bits = struct.unpack_from("<H12xH", head, at)
        if name == b"data":
            return _WavChunks(codec, bits, at + length - size if length < _UNKNOWN_SIZE else 0)
        at += length + length % 2
    return None
