"""pydub's `AudioSegment`, the type that users of the original hold their audio in: made from samples, and as a file.

pydub comes with the extra `worker`; this module works without it until a segment is asked for.
"""

import io
import warnings
from typing import IO, Any, Protocol, runtime_checkable

from riffusion.errors import ToolMissing


@runtime_checkable
class AudioSegment(Protocol):
    """What is needed of a segment that comes in: its own way to a WAV file, for which pydub starts no program."""

    def export(self, out_f: IO[bytes], *, format: str) -> Any:  # noqa: A002  pydub's name
        """Writes the file."""


def wav_of(segment: AudioSegment) -> bytes:
    """WAV file with exactly the samples of a segment, in as many bits (8, 16 or 32), channels and at its rate.

    Of 24 bits pydub makes 32 by itself.
    """
    file = io.BytesIO()
    segment.export(file, format="wav")
    return file.getvalue()


def segment_of(pcm: bytes, sample_rate: int, channels: int) -> Any:
    """A `pydub.AudioSegment` of 16-bit samples, little-endian, channels interleaved.

    Raises:
        ToolMissing: pydub isn't installed.
    """
    try:
        with warnings.catch_warnings():
            # It warns of its own source and where it finds no ffmpeg, which nothing here needs.
            warnings.simplefilter("ignore")
            import pydub
    except ImportError:
        raise ToolMissing("pydub isn't installed: run `pip install 'riffusion[worker]'`.") from None
    return pydub.AudioSegment(data=pcm, sample_width=2, frame_rate=sample_rate, channels=channels)
