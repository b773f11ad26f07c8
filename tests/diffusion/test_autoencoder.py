from dataclasses import replace

import numpy as np
import pytest
import torch

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.errors import BrokenPicture
from riffusion.testing import tiny_checkpoint


def test_shapes_and_repeatability(checkpoint: Checkpoint) -> None:
    autoencoder = Autoencoder(checkpoint)
    grey = np.tile(np.arange(192, dtype=np.uint8), (64, 1))
    latents = autoencoder.encode(grey)
    assert latents.shape == (4, 8, 24)
    assert torch.equal(latents, autoencoder.encode(grey))
    picture = autoencoder.decode(latents)
    assert picture.shape == grey.shape
    assert picture.dtype == np.uint8


def test_an_overflow_is_no_picture(checkpoint: Checkpoint) -> None:
    with pytest.raises(BrokenPicture):
        Autoencoder(checkpoint).decode(torch.full((4, 8, 8), float("inf")))


def test_a_decoder_that_overflows_in_half_precision_runs_in_float32() -> None:
    made = tiny_checkpoint()
    weight = made.vae.decoder.conv_in.weight
    weight.mul_(6e4 / weight.abs().max())  # in range, but not its products; finite again after the next norm
    latents = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(0))
    exact = Autoencoder(made).decode(latents)
    made.vae.half()
    autoencoder = Autoencoder(replace(made, dtype=torch.float16))
    assert not made.vae.decode(latents[None].half()).sample.isfinite().all()
    for _ in range(2):
        picture = autoencoder.decode(latents)
        assert np.abs(picture.astype(int) - exact).max() <= 2
        assert {each.dtype for each in made.vae.parameters()} == {torch.float16}


def test_in_bfloat16_decoding_loses_little_and_encoding_nothing() -> None:
    grey = np.tile(np.arange(128, dtype=np.uint8), (64, 1))
    exact, half = Autoencoder(tiny_checkpoint()), Autoencoder(made := replace(tiny_checkpoint(), dtype=torch.bfloat16))
    latents = exact.encode(grey)
    assert torch.equal(half.encode(grey), latents)
    apart = np.abs(half.decode(latents).astype(int) - exact.decode(latents))
    assert 0 < apart.mean() < 2  # of an untrained model; the bundled one loses 0.13
    assert {each.dtype for each in made.vae.decoder.parameters()} == {torch.bfloat16}
