"""How much work a request is, by what it asks for and the size of what it starts from.

Fair queueing weighs jobs by it, and the ETA counts in it. The unit is one denoising step: a guided UNet call on 512
columns. Everything else is counted in steps too, by the processor time that it takes beside one. The constants are
measured: the bundled model on one thread of an x86_64 CPU (`make bench-costs`, docs/performance.md). With a larger
model steps weigh more beside sound than they do here, on a GPU less.
"""

import math
from dataclasses import dataclass

from riffusion.requests.base import (
    AnyRequest,
    AudioToAudio,
    AudioToImage,
    Extend,
    Inpaint,
    Interpolate,
    Loop,
    Painted,
    Prompted,
    Riff,
    TextToAudio,
)
from riffusion.requests.fields import AudioFormat, Quality
from riffusion.requests.sizes import (
    CLIP_SECONDS,
    CLIP_SIZE,
    COLUMNS_PER_S,
    CONTEXT_SECONDS,
    OVERLAP_SECONDS,
    InputSize,
    made_columns,
)

_CLIP, _OVERLAP, _CONTEXT = (round(COLUMNS_PER_S * s) for s in (CLIP_SECONDS, OVERLAP_SECONDS, CONTEXT_SECONDS))
_TILE, _NARROWEST = 64, 128  # columns: the model paints multiples of the first, and no fewer than the second
_BEATS, _BPM = 4, 120  # of a bar, and of a picture whose tempo the request doesn't give

# In denoising steps.
_REQUEST = 0.5  # whatever it asks for: files opened and written, ffmpeg started
_CALL = 0.2  # of a step, even of the narrowest picture; the rest of it grows with width and places
_FROM_PICTURE, _TO_PICTURE = 0.8, 2.2  # latents of 512 columns from their picture, and the picture from them
_ANALYSIS = 0.15  # a second and channel of sound to its picture
_SOUND: dict[Quality, float] = {"draft": 0.25, "standard": 0.45, "best": 2.5}  # a second and channel from its picture
# A second and channel to its file; lossy ones are decoded again to see that they stay below the true peak.
_FILE: dict[AudioFormat, float] = {"wav": 0.05, "flac": 0.05, "mp3": 0.1, "ogg": 0.5}


def cost(request: AnyRequest, size: InputSize = CLIP_SIZE) -> float:
    """The work a request is, in guided denoising steps of 512 columns; at least 0.5.

    Args:
        size: of what it starts from; of no consequence where it starts from nothing.
    """
    columns = _kept(request, size) if isinstance(request, Loop) else made_columns(request, size)
    channels = 1 if isinstance(request, Riff | Interpolate | AudioToAudio) else size.channels  # the model's are mono
    per_second = _SOUND[request.quality or "standard"] + _FILE[request.format]
    steps = _REQUEST + per_second * channels * columns / COLUMNS_PER_S
    if isinstance(request, AudioToAudio | AudioToImage):
        steps += _ANALYSIS * size.channels * size.columns / COLUMNS_PER_S
    if isinstance(request, Painted):
        steps += _painting_steps(request, size)
    return steps


@dataclass(frozen=True)
class _Painting:
    """Pictures that the model paints side by side."""

    columns: int
    """Of each."""
    pictures: int = 1
    denoising: float = 1.0
    initial: bool = True
    """Whether they start from pictures."""


def _painting(request: Painted, size: InputSize) -> _Painting:
    match request:
        case TextToAudio():
            painting = _Painting(request.width, initial=False)
        case Riff() | Inpaint():
            painting = _Painting(size.columns, denoising=request.denoising)
        case Interpolate(init=None):
            painting = _Painting(_CLIP, request.clips or 1, initial=False)
        case Interpolate():
            denoising = _between(request, request.start.denoising, request.end.denoising)
            painting = _Painting(size.columns, request.clips or 1, denoising)
        case AudioToAudio():
            windows = max(1, math.ceil((size.columns - _OVERLAP) / (_CLIP - _OVERLAP)))
            painting = _Painting(_CLIP if windows > 1 else size.columns, windows, request.denoising)
        case Extend():
            new = _CLIP - min(_CONTEXT, size.columns)
            painting = _Painting(_CLIP, math.ceil(COLUMNS_PER_S * request.seconds / new))
        case _:
            painting = _Painting(_CLIP)  # around a loop's join
    return painting


def _painting_steps(request: Painted, size: InputSize) -> float:
    painting = _painting(request, size)
    width = max(_NARROWEST, math.ceil(painting.columns / _TILE) * _TILE) / _CLIP
    places = 1.0 if _guided(request) else 0.5
    step = _CALL + (1 - _CALL) * places * width
    autoencoder = width * (_TO_PICTURE + (_FROM_PICTURE if painting.initial else 0.0))
    return painting.pictures * (max(1.0, request.steps * painting.denoising) * step + autoencoder)


def _guided(request: Painted) -> bool:
    """Whether its UNet calls are made with and without the prompt; models guide unless they are asked not to."""
    if isinstance(request, Interpolate):
        start, end = request.start.guidance, request.end.guidance
        return start is None or end is None or _between(request, start, end) > 1
    guidance = request.guidance if isinstance(request, Prompted) else None
    return guidance is None or guidance > 1


def _between(request: Interpolate, start: float, end: float) -> float:
    """The value at its `alpha`, or the mean over its clips."""
    alpha = 0.5 if request.alpha is None else request.alpha
    return start + (end - start) * alpha


def _kept(request: Loop, size: InputSize) -> int:
    """Columns of the whole bars that a loop keeps."""
    if request.bars is None:
        return size.columns
    return min(size.columns, round(COLUMNS_PER_S * request.bars * _BEATS * 60 / (request.bpm or _BPM)))
