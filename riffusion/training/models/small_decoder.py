"""The bundled model's small decoder: TAESD's class in diffusers, for the latents of the same autoencoder.

After Ollin Boer Bohan's TAESD (2023): residual blocks of plain convolutions without normalization. All blocks are at an
eighth to a half of the picture's size; at its full size, where a layer costs most, there are two convolutions.
"""

from collections.abc import Callable

import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from riffusion.training.models.vae_decoder import Decoding, EncodedClips, train_decoding

_WIDTH = 16
_BLOCKS = (3, 3, 2, 0)  # at 1/8, 1/4, 1/2 and all of the picture's size


def new_small_decoder() -> AutoencoderTiny:
    """An untrained small autoencoder. Nothing uses its encoder, which is the least that the class allows."""
    return AutoencoderTiny(
        encoder_block_out_channels=(4,) * len(_BLOCKS),
        num_encoder_blocks=(0,) * len(_BLOCKS),
        decoder_block_out_channels=(_WIDTH,) * len(_BLOCKS),
        num_decoder_blocks=_BLOCKS,
    )


def train_small_decoder(
    small: AutoencoderTiny,
    clips: EncodedClips,
    steps: int,
    *,
    rate: float,
    adversarial: bool,
    batch: int = 4,
    seed: int = 0,
    report: Callable[[], object] = lambda: None,
) -> None:
    """Trains the decoder of `small` in place. See `train_decoder`."""
    small.requires_grad_(False)

    def decode(latents: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            output: Tensor = small.decode(latents).sample
        return output.float()

    decoding = Decoding(decode, list(small.decoder.parameters()), small.decoder.layers[-1].weight)
    train_decoding(decoding, clips, steps, rate=rate, adversarial=adversarial, batch=batch, seed=seed, report=report)
