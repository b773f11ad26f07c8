"""Further training of the decoder, for a few steps."""

import numpy as np
import pytest
import torch

from riffusion.training.models.small_decoder import new_small_decoder, small_decoder_of
from riffusion.training.models.vae import new_autoencoder
from riffusion.training.models.vae_decoder import Adversary, EncodedClips, decoder_of, train_decoder


@pytest.fixture
def clips() -> EncodedClips:
    """Two files of clips whose pictures show the place of each column: one grey level a latent column."""
    columns = np.arange(64, dtype=np.float16)
    latents = np.broadcast_to(columns, (2, 4, 64, 64))
    pictures = np.broadcast_to(np.repeat(columns, 8).astype(np.uint8), (2, 512, 512))
    return EncodedClips([latents, latents[:1]], [pictures, pictures[:1]])


def test_latents_and_pictures_are_of_the_same_place(clips: EncodedClips) -> None:
    latents, pictures = clips.strips(8, np.random.default_rng(0))
    assert latents.shape == (8, 4, 64, 16)
    assert pictures.shape == (8, 3, 512, 128)
    seen = ((pictures[:, 0, 0] + 1) * 127.5).view(8, 16, 8).mean(2)
    assert torch.allclose(seen, latents[:, 0, 0], atol=1e-3)
    assert len(set(latents[:, 0, 0, 0].tolist())) > 1


@pytest.mark.parametrize("adversarial", [False, True])
def test_only_the_decoder_changes(clips: EncodedClips, adversarial: bool) -> None:
    torch.manual_seed(0)
    vae, before = new_autoencoder(), new_autoencoder()
    before.load_state_dict(vae.state_dict())
    train_decoder(decoder_of(vae), clips, 2, rate=1e-2, adversarial=adversarial, batch=1)
    changed = {
        name.partition(".")[0]
        for name, weight in vae.state_dict().items()
        if not torch.equal(weight, before.state_dict()[name])
    }
    assert changed == {"decoder", "post_quant_conv"}


@pytest.mark.parametrize("adversarial", [False, True])
def test_a_small_decoder_is_trained_without_its_encoder(clips: EncodedClips, adversarial: bool) -> None:
    torch.manual_seed(0)
    small, before = new_small_decoder(), new_small_decoder()
    before.load_state_dict(small.state_dict())
    train_decoder(small_decoder_of(small), clips, 2, rate=1e-2, adversarial=adversarial, batch=1)
    same = {name for name, weight in small.state_dict().items() if torch.equal(weight, before.state_dict()[name])}
    assert same == {name for name in small.state_dict() if name.startswith("encoder")}


def test_the_adversary_learns_and_weighs_as_much_as_the_reconstruction() -> None:
    torch.manual_seed(0)
    adversary, real = Adversary(), torch.randn(2, 1, 32, 32)
    layer = torch.ones(1, requires_grad=True)
    for _ in range(30):
        adversary.train_step(real, torch.zeros_like(real))
    discriminator = adversary.discriminator
    assert discriminator(real).mean() > discriminator(torch.zeros_like(real)).mean() + 0.5
    decoded = real * 0.1 * layer
    reconstruction = 3 * (decoded - real).abs().mean()
    adversary.loss(decoded, reconstruction, layer).backward()  # type: ignore[no-untyped-call]
    (wanted,) = torch.autograd.grad(3 * (real * 0.1 * layer - real).abs().mean(), layer)
    assert layer.grad is not None
    assert abs(float(layer.grad)) == pytest.approx(abs(float(wanted)), rel=0.05)
