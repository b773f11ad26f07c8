"""The bundled model's UNet and its loss."""

from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch._subclasses.fake_tensor import FakeTensorMode

from riffusion.training.models.text_encoder import WIDTH
from riffusion.training.models.unet import LATENT_SHAPE, new_unet, noise_schedule, unet_from, velocity_loss


def test_is_stable_diffusions_class_and_small_enough() -> None:
    unet = new_unet()
    assert unet.config.in_channels == unet.config.out_channels == 4
    assert sum(weight.numel() for weight in unet.parameters()) * 2 < 17 * 2**20


class Oracle:
    """Predicts the velocity of known latents perfectly, and keeps the timesteps that it was asked for."""

    def __init__(self, latents: torch.Tensor) -> None:
        self.latents, self.timesteps = latents, torch.empty(0)

    def __call__(self, noisy: torch.Tensor, timesteps: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor]:
        self.timesteps = timesteps
        kept = noise_schedule().alphas_cumprod[timesteps].view(-1, 1, 1, 1)
        noise = (noisy - kept.sqrt() * self.latents) / (1 - kept).sqrt()
        return (kept.sqrt() * noise - (1 - kept).sqrt() * self.latents,)


def _loss_of(oracle: Oracle, *, on_notes: bool) -> float:
    prompt_embeds, generator = torch.zeros(len(oracle.latents), 77, WIDTH), torch.Generator().manual_seed(0)
    loss = velocity_loss(
        oracle, noise_schedule(), oracle.latents, prompt_embeds, generator, on_notes=on_notes, bf16=False
    )
    return float(loss)


@pytest.mark.parametrize("on_notes", [False, True])
def test_a_perfect_prediction_has_no_loss(on_notes: bool) -> None:
    assert _loss_of(Oracle(torch.randn(2, *LATENT_SHAPE)), on_notes=on_notes) < 1e-6


@pytest.mark.parametrize(("on_notes", "expected"), [(False, 0.52), (True, 0.88)])
def test_a_training_on_notes_draws_the_timesteps_that_place_them(on_notes: bool, expected: float) -> None:
    oracle = Oracle(torch.zeros(2000, *LATENT_SHAPE)[:, :, :1, :1])
    _loss_of(oracle, on_notes=on_notes)
    placed = (oracle.timesteps >= 420) & (oracle.timesteps < 850)
    assert float(placed.float().mean()) == pytest.approx(expected, abs=0.04)
    assert oracle.timesteps.min() < 100
    assert oracle.timesteps.max() > 950


def _save(folder: Path, **changes: object) -> UNet2DConditionModel:
    """Saves an untrained UNet whose configuration differs from the bundled model's."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_config({**new_unet().config, **changes})
    unet.save_pretrained(folder)
    return unet


@torch.no_grad()
def test_attention_that_saved_weights_lack_starts_without_effect(tmp_path: Path) -> None:
    saved = _save(
        tmp_path,
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    )
    inputs = torch.randn(1, *LATENT_SHAPE), torch.tensor([500]), torch.randn(1, 77, WIDTH)
    expected, got = (unet(*inputs, return_dict=False)[0] for unet in (saved, unet_from(tmp_path)))
    assert torch.allclose(got, expected, atol=1e-4)


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    _save(tmp_path, layers_per_block=2)
    with pytest.raises(ValueError, match="kind"):
        unet_from(tmp_path)


def test_the_loss_is_calculated_where_the_latents_are() -> None:
    def unet(noisy: torch.Tensor, timesteps: torch.Tensor, *_: object, **__: object) -> tuple[torch.Tensor]:
        return (noisy * timesteps.view(-1, 1, 1, 1),)

    with FakeTensorMode(allow_non_fake_inputs=True):  # tensors of two devices in one operation raise an error
        latents, embeds = torch.empty(2, *LATENT_SHAPE, device="cuda"), torch.empty(2, 77, WIDTH, device="cuda")
        loss = velocity_loss(
            unet, noise_schedule(), latents, embeds, torch.Generator().manual_seed(0), on_notes=True, bf16=False
        )
    assert loss.device.type == "cuda"
