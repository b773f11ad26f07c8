"""Any audio file as a wave."""

from pathlib import Path

import torch
from torch import Tensor

from riffusion.audio.ffmpeg import convert
from riffusion.audio.probe import probe_audio
from riffusion.errors import UnreadableMedia
from riffusion.geometry import DEFAULT


def decode_audio(data: bytes | Path, *, max_seconds: float, sample_rate: int = DEFAULT.sample_rate) -> Tensor:
    """Wave [C, T] float32 of a WAV, MP3, FLAC, Ogg or M4A file, resampled to `sample_rate`; C is 1 or 2.

    More than two channels are mixed down to stereo by ITU-R BS.775's weights, scaled so that the mix can't clip.

    Raises:
        UnreadableMedia: as `probe_audio`, or nothing is left at `sample_rate`.
    """
    channels = min(probe_audio(data, max_seconds=max_seconds).channels, 2)
    resample = f"aresample={sample_rate}:resampler=soxr:precision=28:rematrix_maxval=1"
    options = ["-af", resample, "-ac", str(channels), "-c:a", "pcm_f32le", "-f", "f32le"]
    limit = int((max_seconds + 2) * sample_rate) * channels * 4
    raw = convert(data, options, max_output=limit).output
    if not raw:
        raise UnreadableMedia("The audio is shorter than one sample.")
    return torch.frombuffer(bytearray(raw), dtype=torch.float32).view(-1, channels).T.contiguous()
