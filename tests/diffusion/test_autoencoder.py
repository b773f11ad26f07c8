import numpy as np
import pytest
import torch

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.errors import BrokenPicture


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
