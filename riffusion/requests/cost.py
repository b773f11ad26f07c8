"""How much work a request is, by what it asks for and the size of what it starts from.

Fair queueing weighs jobs by it, and the ETA counts in it. The unit is one denoising step: a guided UNet call on 512
columns. Everything else is counted in steps too, by the processor time that it takes beside one. The constants are
measured: the bundled model on one thread of an x86_64 CPU (`make bench-costs`, docs/performance.md). With a larger
model steps weigh more beside sound than they do here, on a GPU less.
"""

from riffusion.geometry import CLIP_COLUMNS, COLUMNS_PER_S, padded_width
from riffusion.requests.base import AnyRequest
from riffusion.requests.fields import AudioFormat, Quality
from riffusion.requests.references import references
from riffusion.requests.sizes import CLIP_SIZE, Sizes
from riffusion.requests.work import DenoisingWork

# In denoising steps.
_REQUEST = 0.5  # whatever it asks for: files opened and written, ffmpeg started
# Of a step: even of the narrowest picture, growing with the width, and with its square, which is self-attention.
_CALL, _CONVOLUTION, _ATTENTION = 0.15, 0.62, 0.23
_FROM_PICTURE, _TO_PICTURE = 0.8, 2.2  # latents of 512 columns from their picture, and the picture from them
_ANALYSIS = 0.15  # a second and channel of sound to its picture
_SOUND: dict[Quality, float] = {"fast": 0.25, "standard": 0.45, "best": 2.5}  # a second and channel from its picture
# A second and channel to its file: loudness and checks, 0.035 of it, then encoding; ffmpeg encodes Ogg in a process.
_FILE: dict[AudioFormat, float] = {"wav": 0.04, "flac": 0.04, "mp3": 0.09, "ogg": 0.3}


def cost(request: AnyRequest, sizes: Sizes | None = None) -> float:
    """The work a request is, in guided denoising steps of 512 columns; at least 0.5.

    Args:
        sizes: of what it starts from; left out, all are clips as the model paints them.
    """
    work = request.work(dict.fromkeys(references(request), CLIP_SIZE) if sizes is None else sizes)
    per_second = _SOUND[request.quality or "standard"] + _FILE[request.format]
    steps = _REQUEST + per_second * work.channels * work.columns / COLUMNS_PER_S
    if work.analysis:
        steps += _ANALYSIS * work.analysis.channels * work.analysis.columns / COLUMNS_PER_S
    if work.denoising:
        steps += _denoising_steps(work.denoising)
    return steps


def _denoising_steps(work: DenoisingWork) -> float:
    width = padded_width(work.width) / CLIP_COLUMNS
    steps = max(1.0, work.steps)
    guided = max(work.guided, 1 / steps) if work.guided else 0.0  # at least one
    places = (1 + guided) / 2
    step = _CALL + places * (_CONVOLUTION * width + _ATTENTION * width**2)
    autoencoder = width * (work.pictures * _TO_PICTURE + work.encoded * _FROM_PICTURE)
    return work.pictures * steps * step + autoencoder
