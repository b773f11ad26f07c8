"""A wave as a file."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from riffusion.requests import AudioFormat


def encode_audio(
    wave: Tensor, sample_rate: int, audio_format: AudioFormat, recipe: Mapping[str, Any] | None = None
) -> bytes:
    """A wave [C, T] in +-1 (C is 1 or 2) as the bytes of a file, tagged from `recipe`, the request that made it.

    Every format decodes to T samples at lag 0. Lossy ones: MP3 at 128 kb/s mono, 192 stereo; Ogg Vorbis at quality 6.
    """
    raise NotImplementedError
