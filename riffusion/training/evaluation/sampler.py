"""Pictures from captions while training: DPM++ 2M with guidance, in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

from riffusion.training.models.text_encoder import hidden_states, token_ids
from riffusion.training.models.unet import LATENT_SHAPE
from riffusion.training.models.vae import Pictures, decode

STEPS, GUIDANCE = 20, 4.0


@torch.no_grad()
def sample(
    pipeline: StableDiffusionPipeline,
    captions: Sequence[str],
    seeds: Sequence[int],
    *,
    batch: int = 4,
    steps: int = STEPS,
    guidance: float = GUIDANCE,
) -> Pictures:
    """(n, 512, 512) grey levels, one for each caption and seed. A picture doesn't depend on its batch."""
    pictures = []
    for first in range(0, len(captions), batch):
        rows = slice(first, first + batch)
        latents = _denoise(pipeline, captions[rows], seeds[rows], steps, guidance)
        pictures.append(decode(pipeline.vae, latents))
    return np.concatenate(pictures)


def _denoise(
    pipeline: StableDiffusionPipeline, captions: Sequence[str], seeds: Sequence[int], steps: int, guidance: float
) -> torch.Tensor:
    """(n, 4, 64, 64) latents of unit variance."""
    ids = token_ids(pipeline.tokenizer, [*([""] * len(captions)), *captions])
    states = hidden_states(pipeline.text_encoder, ids)
    scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(steps)
    noise = [torch.randn(LATENT_SHAPE, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    latents: torch.Tensor = torch.stack(noise) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        velocity = pipeline.unet(latents.repeat(2, 1, 1, 1), timestep, states, return_dict=False)[0]
        empty, told = velocity.chunk(2)
        latents = scheduler.step(empty + guidance * (told - empty), timestep, latents, return_dict=False)[0]
    return latents
