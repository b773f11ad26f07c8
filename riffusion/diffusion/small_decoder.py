"""Latents to pictures at a fraction of the VAE's cost, for looking at."""

import threading
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from riffusion.diffusion.channels_last import to_channels_last
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.libraries import AutoencoderTiny
from riffusion.diffusion.streams import PartStream
from riffusion.spectrogram.canvas import Grey

# Red, green and blue in ±1 of Stable Diffusion 1.x's and 2.x's scaled latents are about linear in them. These are the
# factors that ComfyUI has for its previews (comfy/latent_formats.py), averaged over the three colours.
_SD_LATENT_TO_GREY = (0.3013, 0.3525, 0.0551, -0.3971)


class SmallDecoder:
    """A checkpoint's `AutoencoderTiny`: Ollin Boer Bohan's TAESD (2023) and models of its class. Thread-safe."""

    def __init__(self, small_vae: AutoencoderTiny, device: torch.device, dtype: torch.dtype) -> None:
        self._small_vae = to_channels_last(small_vae)
        self._dtype = dtype
        self._stream = PartStream(device)
        self._lock = threading.Lock()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Grey:
        """Picture [8 · H, 8 · W] of scaled latents [4, H, W].

        Raises:
            OutOfMemory: the device's memory doesn't suffice.
        """

        def levels() -> list[Tensor]:
            scaled = latents.to(self._dtype)[None].contiguous(memory_format=torch.channels_last)
            colours: Tensor = self._small_vae.decode(scaled, return_dict=False)[0]
            return [_levels(colours[0].float().mean(0))]

        with self._lock:
            [picture] = self._stream.run(levels)
        grey: Grey = picture.cpu().numpy()
        return grey


def decode_linearly(latents: Tensor) -> Grey:
    """Picture [8 · H, 8 · W] of Stable Diffusion's scaled latents [4, H, W], a grey level for each 8×8 pixels."""
    levels = _levels(torch.einsum("chw,c->hw", latents.float().cpu(), torch.tensor(_SD_LATENT_TO_GREY))).numpy()
    grey: Grey = np.repeat(np.repeat(levels, 8, axis=0), 8, axis=1)
    return grey


def preview_decoder(checkpoint: Checkpoint) -> Callable[[Tensor], Grey]:
    """What shows latents on their way: the checkpoint's small decoder, or where it has none, a linear map."""
    if checkpoint.small_vae is None:
        return decode_linearly
    return SmallDecoder(checkpoint.small_vae, checkpoint.device, checkpoint.dtype).decode


def _levels(grey: Tensor) -> Tensor:
    """Grey levels [H, W] as bytes, from ±1; what isn't finite becomes the nearest level."""
    return ((grey.nan_to_num() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
