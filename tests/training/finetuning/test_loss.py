"""Targets and weights, compared with what diffusers' train_text_to_image.py does."""

from dataclasses import replace
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from diffusers.training_utils import compute_snr
from torch import Tensor

from riffusion.errors import CheckpointUnavailable
from riffusion.testing import tiny_checkpoint
from riffusion.training.finetuning.loss import Objective, objective_of

Kind = Literal["epsilon", "v_prediction"]
KINDS: tuple[Kind, ...] = ("epsilon", "v_prediction")


def of_diffusers(objective: Objective, pred: Tensor, clean: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
    """The loss as in the script."""
    schedule, gamma = objective.schedule, objective.min_snr_gamma
    epsilon = schedule.config.prediction_type == "epsilon"
    target: Tensor = noise if epsilon else schedule.get_velocity(clean, noise, timesteps)
    if gamma is None:
        return F.mse_loss(pred.float(), target.float(), reduction="mean")
    snr: Tensor = compute_snr(schedule, timesteps)
    weights = torch.stack([snr, gamma * torch.ones_like(timesteps)], dim=1).min(dim=1)[0]
    weights = weights / snr if epsilon else weights / (snr + 1)
    loss = F.mse_loss(pred.float(), target.float(), reduction="none")
    return (loss.mean(dim=list(range(1, len(loss.shape)))) * weights).mean()


@pytest.mark.parametrize("gamma", [None, 1.0, 5.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_diffusers(kind: Kind, gamma: float | None) -> None:
    objective = objective_of(tiny_checkpoint(prediction_type=kind), gamma)
    pred, clean, noise = torch.randn(3, 8, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    timesteps = torch.tensor([0, 1, 10, 100, 300, 600, 900, 999])
    loss = objective.loss(pred, objective.target(clean, noise, timesteps), timesteps)
    assert float(loss) == pytest.approx(float(of_diffusers(objective, pred, clean, noise, timesteps)), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_timestep_of_pure_noise_has_a_weight(kind: Kind) -> None:
    checkpoint = tiny_checkpoint(prediction_type=kind)
    config = checkpoint.scheduler_config | {"rescale_betas_zero_snr": True}
    objective = objective_of(replace(checkpoint, scheduler_config=config), 5.0)
    assert float(objective.weights(torch.tensor([999]), 5.0)) == (1 if kind == "epsilon" else 0)


def test_another_prediction_is_refused() -> None:
    checkpoint = tiny_checkpoint()
    config = checkpoint.scheduler_config | {"prediction_type": "sample"}
    with pytest.raises(CheckpointUnavailable, match="epsilon or v_prediction"):
        objective_of(replace(checkpoint, scheduler_config=config), None)
