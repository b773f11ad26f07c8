"""Grey pictures to latents and back."""

import logging
import threading
from collections.abc import Callable

import torch
from torch import Tensor

from riffusion.diffusion.channels_last import to_channels_last
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.streams import PartStream
from riffusion.errors import BrokenPicture
from riffusion.spectrogram.canvas import Grey

log = logging.getLogger(__name__)


class Autoencoder:
    """A checkpoint's VAE for grey pictures. Thread-safe; one picture at a time, which bounds its memory.

    Channels come last in memory, as in the UNet: on a CPU, decoding takes a fifth less time that way. Where the UNet is
    bfloat16, so is the decoder, which is fastest with channels first then, and takes a fifth less time again.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._vae = to_channels_last(checkpoint.vae)
        self._factor = float(checkpoint.vae.config.scaling_factor)
        self._device, self._dtype = checkpoint.device, checkpoint.vae.dtype
        self._decoder_dtype = self._dtype
        if checkpoint.dtype == torch.bfloat16:
            self._decoder_dtype = checkpoint.dtype
            for part in (self._vae.post_quant_conv, self._vae.decoder):
                part.to(dtype=checkpoint.dtype, memory_format=torch.contiguous_format)
        self._stream = PartStream(checkpoint.device)
        self._lock = threading.Lock()

    @torch.inference_mode()
    def encode(self, grey: Grey) -> Tensor:
        """Scaled latents [4, H / 8, W / 8] float32 of a picture [H, W]: the posterior's mode, without randomness.

        Raises:
            BrokenPicture: the encoder's numbers aren't finite.
            OutOfMemory: the device's memory doesn't suffice.
        """

        def latents(dtype: torch.dtype) -> Tensor:
            levels = torch.from_numpy(grey).to(self._device, dtype) / 127.5 - 1
            colours = levels.expand(1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
            mode: Tensor = self._vae.encode(colours).latent_dist.mode()
            return mode[0].float() * self._factor

        with self._lock:
            return self._stream.run(lambda: [self._finite(latents, self._dtype)])[0]

    @torch.inference_mode()
    def decode(self, latents: Tensor) -> Grey:
        """Picture [H, W] of scaled latents [4, H / 8, W / 8].

        Raises:
            BrokenPicture: the decoder's numbers aren't finite.
            OutOfMemory: the device's memory doesn't suffice.
        """

        def levels(dtype: torch.dtype) -> Tensor:
            layout = torch.contiguous_format if dtype == torch.bfloat16 else torch.channels_last
            scaled = (latents / self._factor).to(dtype)[None].contiguous(memory_format=layout)
            colours: Tensor = self._vae.decode(scaled, return_dict=False)[0]
            return (colours[0].float().mean(0) + 1) * 127.5

        with self._lock:
            [picture] = self._stream.run(
                lambda: [self._finite(levels, self._decoder_dtype).round().clamp(0, 255).to(torch.uint8)]
            )
        grey: Grey = picture.cpu().numpy()
        return grey

    def _finite(self, work: Callable[[torch.dtype], Tensor], dtype: torch.dtype) -> Tensor:
        """What the VAE makes in this precision, its own, or in float32 where it exceeds the range of float16.

        Its weights are float16 again afterwards, so that a picture doesn't depend on those before.
        """
        made = work(dtype)
        if dtype == torch.float16 and not _is_finite(made):
            log.warning("the autoencoder's float16 numbers are not finite: it runs again in float32")
            self._vae.float()
            try:
                made = work(torch.float32)
            finally:
                self._vae.to(self._dtype)
        if not _is_finite(made):
            raise BrokenPicture("The autoencoder's numbers are not finite; another seed or picture may work.")
        return made


def _is_finite(numbers: Tensor) -> bool:
    return bool(numbers.isfinite().all())
