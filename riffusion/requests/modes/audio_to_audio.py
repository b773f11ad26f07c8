"""A clip of any length, rendered again by the model."""

import math
from typing import ClassVar, Literal

from riffusion.geometry import CLIP_COLUMNS
from riffusion.requests.base import AsWideAsItsInput, Prompted
from riffusion.requests.fields import Denoising
from riffusion.requests.references import Clip
from riffusion.requests.sizes import OVERLAP_COLUMNS, Sizes
from riffusion.requests.work import DenoisingWork, Work


class AudioToAudio(AsWideAsItsInput, Prompted):
    """A clip of any length re-rendered by the model in overlapping windows."""

    SCHEMA: ClassVar = 1
    PURPOSE: ClassVar = "A recording of any length, re-rendered by the model."
    EXAMPLE: ClassVar = {"prompt": "church bells", "clip": {"upload": "u" * 22}}
    AT_ONCE: ClassVar = ()
    INPUT: ClassVar = "clip"
    RANK: ClassVar = 50

    mode: Literal["audio-to-audio"] = "audio-to-audio"
    clip: Clip
    denoising: Denoising = 0.55

    def work(self, sizes: Sizes) -> Work:
        """The clip's picture, and windows of it in mono."""
        clip = sizes["clip"]
        windows = max(1, math.ceil((clip.columns - OVERLAP_COLUMNS) / (CLIP_COLUMNS - OVERLAP_COLUMNS)))
        denoising = DenoisingWork(
            CLIP_COLUMNS if windows > 1 else clip.columns,
            self.sampler.steps * self.denoising,
            self.guided_share,
            encoded=windows,
            pictures=windows,
        )
        return Work(clip.columns, channels=1, analysis=clip, denoising=denoising)
