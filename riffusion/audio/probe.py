"""What an audio file holds, seen through ffmpeg under limits. No numpy: the API uses it."""

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from riffusion.audio.ffmpeg import Converted, convert
from riffusion.errors import UnreadableMedia

MAX_CHANNELS = 8
MIN_RATE, MAX_RATE = 8_000, 192_000
_FRAME = 4096  # samples that are listed as one, whatever the file is cut into
_FRAME_LINES = 8 << 20  # bytes of that list; a line takes some 60
_PCM, _FEWEST_BITS = 1, 8
_UNKNOWN_SIZE = 0x7FFFFFFF  # WAV written to a pipe has no size, or this much


@dataclass(frozen=True)
class AudioInfo:
    """A file that `decode_audio` will take."""

    duration_s: float
    channels: int
    sample_rate: int


def probe_audio(data: bytes | Path, *, max_seconds: float) -> AudioInfo:
    """Decodes the whole file once, keeping nothing.

    A truncated file is found by what its header promises; an Ogg cut between two pages promises nothing and passes as
    a shorter file.

    Raises:
        UnreadableMedia: no audio, zero-length, truncated, longer than `max_seconds`, more than 8 channels, fewer
            than 8 bits a sample, or a sample rate outside 8 to 192 kHz.
    """
    wav = _wav_chunks(data)
    if wav and wav.codec == _PCM and wav.bits < _FEWEST_BITS:
        raise UnreadableMedia(f"the WAV has {wav.bits} bits a sample; 8 to 64 are taken")  # ffmpeg would take it for 8
    # framecrc lists every decoded frame, in a form made for machines.
    options = ["-t", f"{max_seconds + 1:.3f}", "-af", f"asetnsamples={_FRAME}:pad=0", "-c:a", "pcm_s16le"]
    listing = convert(data, [*options, "-f", "framecrc"], max_output=_FRAME_LINES)
    info = _info(listing.output.decode())
    if not MIN_RATE <= info.sample_rate <= MAX_RATE:
        raise UnreadableMedia(f"the audio's sample rate is {info.sample_rate} Hz; 8000 to 192000 are taken")
    if info.channels > MAX_CHANNELS:
        raise UnreadableMedia(f"the audio has {info.channels} channels; at most {MAX_CHANNELS} are taken")
    if info.duration_s > max_seconds:
        raise UnreadableMedia(f"the audio is longer than the {max_seconds:g} seconds that are allowed")
    if _is_truncated(listing, info) or (wav and wav.missing > 0):
        raise UnreadableMedia("the audio file is truncated: less of it is there than its header promises")
    return info


def _info(listing: str) -> AudioInfo:
    rate = re.search(r"^#sample_rate 0: (\d+)$", listing, re.MULTILINE)
    # stream, dts, pts, duration, size, checksum
    frames = re.findall(r"^0, *-?\d+, *-?\d+, *(\d+), *(\d+),", listing, re.MULTILINE)
    samples = sum(int(duration) for duration, _ in frames)
    if rate is None or not samples:
        raise UnreadableMedia("the file holds no audio")
    channels = int(frames[0][1]) // (2 * int(frames[0][0]))
    return AudioInfo(samples / int(rate[1]), channels, int(rate[1]))


def _is_truncated(listing: Converted, info: AudioInfo) -> bool:
    """Less sound than the container declares. Containers that declare nothing get an estimate, which proves nothing."""
    if "partial file" in listing.log:
        return True
    declared = re.search(r"^  Duration: (\d+):(\d+):(\d+\.\d+)", listing.log, re.MULTILINE)
    if declared is None or "Estimating duration" in listing.log:
        return False
    hours, minutes, seconds = (float(part) for part in declared.groups())
    return info.duration_s < 0.99 * (3600 * hours + 60 * minutes + seconds) - 0.1


@dataclass(frozen=True)
class _WavChunks:
    """What the chunks of a WAV say of themselves."""

    codec: int
    bits: int  # of a sample
    missing: int  # bytes of the sound that aren't there


def _wav_chunks(data: bytes | Path) -> _WavChunks | None:
    """ffmpeg treats a WAV whose data chunk runs past the end of the file like one written to a pipe; we don't."""
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
