"""Whether a picture's geometry can sound. Standard library only: the API checks it before a job waits."""

import math

from riffusion.errors import UnreadableMedia
from riffusion.geometry import SpectrogramParams, hertz_to_mel, mel_to_hertz

FEWEST_BANDS = 16
_AUDIBLE_HZ = (20.0, 20_000.0)


def check_bands(params: SpectrogramParams) -> None:
    """Refuses a geometry of whose bands hardly any can be heard at its sample rate.

    Raises:
        UnreadableMedia: fewer than `FEWEST_BANDS` of its mel bands weigh an audible bin of its FFT.
    """
    if audible_bands(params) < FEWEST_BANDS:
        raise UnreadableMedia(
            f"The picture's EXIF gives its rows the frequencies {params.min_hz} to {params.max_hz} Hz, seen in steps "
            f"of {1000 / params.padded_ms:g} Hz: hardly any of that can be heard. Correct the tags, or remove them."
        )


def audible_bands(params: SpectrogramParams) -> int:
    """How many mel bands weigh a bin of the FFT that can be heard, and that the sample rate can hold."""
    bin_hz = 1000 / params.padded_ms
    lowest, highest = _AUDIBLE_HZ[0], min(_AUDIBLE_HZ[1], params.sample_rate / 2)
    low, high = hertz_to_mel(params.min_hz), hertz_to_mel(params.max_hz)
    step = (high - low) / (params.frequencies + 1)
    edges = [mel_to_hertz(low + step * edge) for edge in range(params.frequencies + 2)]
    count = 0
    for first, last in zip(edges, edges[2:], strict=False):
        hertz = max(math.floor(first / bin_hz) + 1, math.ceil(lowest / bin_hz)) * bin_hz
        count += hertz < last and hertz <= highest
    return count
