"""Latents to pictures at a fraction of the VAE's cost, for looking at."""

import threading
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
        self._half_size = half_size_layers(small_vae.decoder.layers)
        self._dtype = dtype
        self._stream = PartStream(device)
        self._lock = threading.Lock()

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Grey:
        """Picture [8 · H, 8 · W] of scaled latents [4, H, W].

        Raises:
            OutOfMemory: the device's memory doesn't suffice.
        """

        def colours(scaled: Tensor) -> Tensor:
            made: Tensor = self._small_vae.decode(scaled, return_dict=False)[0]
            return made

        return self._run(colours, latents)

    @torch.inference_mode()
    def decode_coarsely(self, latents: Tensor) -> Grey:
        """As `decode`, in squares of 2×2 equal pixels where that costs less: each has the mean of the pixels there.

        Raises:
            OutOfMemory: the device's memory doesn't suffice.
        """
        layers = self._half_size
        if layers is None:
            return self.decode(latents)
        # What diffusers' decoder does before and after its layers.
        return _enlarged(self._run(lambda scaled: layers(torch.tanh(scaled / 3) * 3) * 2 - 1, latents), 2)

    def _run(self, decode: Callable[[Tensor], Tensor], latents: Tensor) -> Grey:
        """The picture of the images [1, C, rows, columns] in ±1 that `decode` makes of latents [1, 4, H, W]."""

        def levels() -> list[Tensor]:
            scaled = latents.to(self._dtype)[None].contiguous(memory_format=torch.channels_last)
            return [_levels(decode(scaled)[0].float().mean(0))]

        with self._lock:
            [picture] = self._stream.run(levels)
        grey: Grey = picture.cpu().numpy()
        return grey


@torch.no_grad()
def half_size_layers(layers: nn.Sequential) -> nn.Sequential | None:
    """The layers of a decoder for a picture half as large and grey; None where that takes as many.

    Where nothing but convolutions of 3×3 follows the last upsampling, two of them at most, the mean of their output
    over the colours and over 2×2 pixels is one convolution of 3×3 of what comes before it, but for the padding at the
    edges. At the picture's full size a layer costs most.
    """
    *_, last = (index for index, layer in enumerate(layers) if isinstance(layer, nn.Upsample))
    head, tail = list(layers)[:last], nn.Sequential(*list(layers)[last:])
    convolutions = [layer for layer in tail if isinstance(layer, nn.Conv2d)]
    if len(tail) != 1 + len(convolutions) or len(convolutions) > 2:  # noqa: PLR2004
        return None
    channels = convolutions[0].in_channels
    weight = convolutions[0].weight
    # The response to an impulse in the middle of each channel, and to nothing, which is that of the bias.
    impulses = torch.zeros(channels + 1, channels, 7, 7, device=weight.device, dtype=weight.dtype)
    impulses[range(channels), range(channels), 3, 3] = 1
    responses = F.avg_pool2d(tail(impulses).mean(1, keepdim=True), 2)[:, 0, 2:5, 2:5]
    folded = nn.Conv2d(channels, 1, 3, padding=1, device=weight.device, dtype=weight.dtype)
    folded.weight.copy_((responses[:-1] - responses[-1]).flip(1, 2)[None])
    folded.bias.copy_(responses[-1, 1, 1])  # type: ignore[union-attr]
    return to_channels_last(nn.Sequential(*head, folded)).requires_grad_(False)


def decode_linearly(latents: Tensor) -> Grey:
    """Picture [8 · H, 8 · W] of Stable Diffusion's scaled latents [4, H, W], a grey level for each 8×8 pixels."""
    levels = _levels(torch.einsum("chw,c->hw", latents.float().cpu(), torch.tensor(_SD_LATENT_TO_GREY))).numpy()
    return _enlarged(levels, 8)


def preview_decoder(checkpoint: Checkpoint) -> Callable[[Tensor], Grey]:
    """What shows latents on their way: the checkpoint's small decoder, or where it has none, a linear map."""
    if checkpoint.small_vae is None:
        return decode_linearly
    return SmallDecoder(checkpoint.small_vae, checkpoint.device, checkpoint.dtype).decode_coarsely


def _enlarged(grey: Grey, times: int) -> Grey:
    larger: Grey = np.repeat(np.repeat(grey, times, axis=0), times, axis=1)
    return larger


def _levels(grey: Tensor) -> Tensor:
    """Grey levels [H, W] as bytes, from ±1; what isn't finite becomes the nearest level."""
    return ((grey.nan_to_num() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
