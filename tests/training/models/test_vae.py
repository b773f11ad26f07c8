"""The bundled model's autoencoder."""

import numpy as np
import torch

from riffusion.training.data.clip_pictures import to_input
from riffusion.training.models.vae import SCALING_FACTOR, encode, fold_scaling, new_autoencoder


def test_folding_gives_unit_variance_and_the_same_pictures() -> None:
    torch.manual_seed(0)
    vae = new_autoencoder().train(False)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 64, 64), np.uint8)
    with torch.no_grad():
        before = vae.decode(vae.encode(to_input(pictures)).latent_dist.mean).sample
        fold_scaling(vae, pictures)
        distribution = vae.encode(to_input(pictures)).latent_dist
        after = vae.decode(distribution.sample()).sample
    assert torch.allclose(before, after, atol=2e-2)
    scaled = distribution.mean * SCALING_FACTOR
    assert torch.allclose(scaled.std((0, 2, 3)), torch.ones(4), atol=0.01)
    assert torch.allclose(encode(vae, pictures), scaled, atol=0.1)
