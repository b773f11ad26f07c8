"""How much work a request is: what fair queueing weighs and the ETA counts in."""

import math

from riffusion.requests.modes import (
    AnyRequest,
    AudioToAudio,
    Extend,
    Inpaint,
    Interpolate,
    Loop,
    Riff,
    TextToAudio,
)

CLIP_SECONDS = 5.12  # 512 columns of 10 ms
OVERLAP_SECONDS = 1.28  # that neighbouring windows of a long clip share
CONTEXT_SECONDS = 2.56  # of a clip's end that the model sees while it paints on


def cost(request: AnyRequest, clip_seconds: float = CLIP_SECONDS) -> float:
    """The work a request is, in denoising steps of a 512-column clip; at least 1.

    `clip_seconds` is the length of the clip it takes in, where it takes one.
    """
    windows = max(1, math.ceil((clip_seconds - OVERLAP_SECONDS) / (CLIP_SECONDS - OVERLAP_SECONDS)))
    match request:
        case TextToAudio():
            steps = request.steps * request.width / 512
        case Riff() | Inpaint():
            steps = request.steps * request.denoising
        case Interpolate():
            steps = request.steps * (request.clips or 1)
        case AudioToAudio():
            steps = request.steps * request.denoising * windows
        case Extend():
            steps = request.steps * math.ceil(request.seconds / (CLIP_SECONDS - CONTEXT_SECONDS))
        case Loop():
            steps = request.steps
        case _:
            steps = 1
    return max(1.0, steps)
