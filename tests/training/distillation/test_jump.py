"""A step of the student with the velocity that it is taught leads exactly to the teacher's point."""

import pytest
import torch
from diffusers import DDPMScheduler

from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.schedulers import Trajectory
from riffusion.requests import Scheduler
from riffusion.testing import tiny_checkpoint
from riffusion.training.distillation.jump import velocity_of, velocity_of_jump

SHAPE = (2, 4, 8, 8)


@pytest.mark.parametrize("sampler", ["euler", "ddim"])
@pytest.mark.parametrize("position", range(4))
def test_a_step_leads_to_the_end(sampler: Scheduler, position: int) -> None:
    config = tiny_checkpoint().scheduler_config | {"prediction_type": "v_prediction", "set_alpha_to_one": True}
    levels = torch.cat([DDPMScheduler.from_config(config).alphas_cumprod, torch.ones(1)])
    way = Trajectory(sampler, config, 4, spacing="trailing")
    places = [999, 749, 499, 249, -1]
    here, there = levels[places[position]], levels[places[position + 1]]
    start, end = SeededNoise(1).draw(SHAPE), SeededNoise(2).draw(SHAPE)
    velocity = velocity_of_jump(start, end, here.expand(2), there.expand(2))
    for _ in range(position):
        way.step(torch.zeros(SHAPE), start, SeededNoise(0))
    scale, final = (1 / here.sqrt(), 1 / there.sqrt()) if sampler == "euler" else (torch.ones(1), torch.ones(1))
    arrived = way.step(velocity, start * scale, SeededNoise(0))
    assert torch.allclose(arrived, end * final, rtol=1e-3, atol=1e-3)


def test_predicted_noise_is_read_as_velocity() -> None:
    levels = torch.tensor([0.01, 0.9])
    clean, noise = SeededNoise(1).draw(SHAPE), SeededNoise(2).draw(SHAPE)
    alpha, sigma = levels.sqrt().view(-1, 1, 1, 1), (1 - levels).sqrt().view(-1, 1, 1, 1)
    latents, velocity = alpha * clean + sigma * noise, alpha * noise - sigma * clean
    assert torch.allclose(velocity_of(noise, latents, levels, "epsilon"), velocity, atol=1e-4)
    assert velocity_of(velocity, latents, levels, "v_prediction") is velocity
