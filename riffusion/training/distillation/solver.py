"""A model with its sampler, as a worker runs it: the teacher, with guidance and in many steps, or the student."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.schedulers import Trajectory, guided_calls
from riffusion.requests import Scheduler


@dataclass(frozen=True)
class Solver:
    """A model, its noise levels, and a sampler that draws no noise, with trailing timesteps."""

    unet: nn.Module
    scheduler_config: dict[str, Any]
    sampler: Scheduler
    guidance: float
    """Classifier-free guidance scale; 1 or less predicts without guidance."""
    steps: int
    """Of a full run."""
    guidance_end: float = 1.0
    """Share of a run's steps that are guided, from the first on, above 0 to 1."""

    def way(self, strength: float) -> Trajectory:
        """The steps of a run that takes this share of a full one."""
        return Trajectory(self.sampler, self.scheduler_config, self.steps, strength, "trailing")

    @torch.no_grad()
    def follow(
        self,
        prompt_embeds: Tensor,
        negative_prompt_embeds: Tensor,
        noise: Tensor,
        clean: Tensor | None,
        strength: float,
    ) -> Tensor:
        """The points [1 + steps, N, 4, H, W] of trajectories that start together, the last of them clean latents.

        Args:
            prompt_embeds: [N, L, D], as are the negative prompt's.
            noise: [N, 4, H, W], as are the `clean` latents that it is added to at a strength below 1.
        """
        way, unused = self.way(strength), SeededNoise(0)
        guided = guided_calls(len(way), self.guidance, self.guidance_end)
        points = [way.start(noise, clean)]
        while not way.done:
            model_input, timestep = way.model_input(points[-1]), way.timestep.to(noise.device)
            noise_pred = self._predict(
                model_input, timestep, prompt_embeds, negative_prompt_embeds, guided=way.position < guided
            )
            points.append(way.step(noise_pred, points[-1], unused))
        return torch.stack(points)

    def _predict(
        self,
        latents: Tensor,
        timestep: Tensor,
        prompt_embeds: Tensor,
        negative_prompt_embeds: Tensor,
        *,
        guided: bool,
    ) -> Tensor:
        """The prediction [N, 4, H, W], with guidance or without."""
        if not guided:
            noise_pred: Tensor = self.unet(latents, timestep, prompt_embeds, return_dict=False)[0].float()
            return noise_pred
        both = torch.cat([negative_prompt_embeds, prompt_embeds])
        predictions = self.unet(latents.repeat(2, 1, 1, 1), timestep, both, return_dict=False)[0].float()
        noise_pred_uncond, noise_pred_text = predictions.chunk(2)
        with_guidance: Tensor = noise_pred_uncond + self.guidance * (noise_pred_text - noise_pred_uncond)
        return with_guidance
