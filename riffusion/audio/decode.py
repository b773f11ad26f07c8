"""Any audio file as a wave."""

from pathlib import Path

from torch import Tensor


def decode_audio(data: bytes | Path, *, max_seconds: float, sample_rate: int = 44_100) -> Tensor:
    """Wave [C, T] float32 in +-1 of a WAV, MP3, FLAC, Ogg or M4A file, resampled to `sample_rate`; C is 1 or 2.

    More than two channels are mixed down to stereo.

    Raises:
        UnreadableMedia: as `probe_audio`.
    """
    raise NotImplementedError
