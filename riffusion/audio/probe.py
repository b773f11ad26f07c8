"""What an audio file holds, seen through ffmpeg under limits. No numpy: the API uses it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AudioInfo:
    """A file that `decode_audio` will take."""

    duration_s: float
    channels: int
    sample_rate: int


def probe_audio(data: bytes | Path, *, max_seconds: float) -> AudioInfo:
    """Decodes the whole file once, keeping nothing.

    Raises:
        UnreadableMedia: no audio, zero-length, truncated, longer than `max_seconds`, more than 8 channels, or a
            sample rate outside 8 to 192 kHz.
    """
    raise NotImplementedError
