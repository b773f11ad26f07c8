"""The bundled model's small decoder: TAESD's class in diffusers, for the latents of the same autoencoder.

After Ollin Boer Bohan's TAESD (2023): residual blocks of plain convolutions without normalization. All blocks are at an
eighth to a half of the picture's size; at its full size, where a layer costs most, there are two convolutions.
"""

from diffusers import AutoencoderTiny

from riffusion.training.models.vae_decoder import Decoder

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


def small_decoder_of(small: AutoencoderTiny) -> Decoder:
    """The decoder of `small`, of which nothing else is trained."""
    small.requires_grad_(False)
    weights = list(small.decoder.parameters())
    return Decoder(lambda latents: small.decode(latents).sample, weights, small.decoder.layers[-1].weight)
