"""Samples of a model in training: pictures from captions by DPM++ 2M with guidance, in batches."""

from collections.abc import Sequence

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline

from riffusion.training.data.clip_pictures import Pictures
from riffusion.training.models.text_encoder import encode_prompt, token_ids
from riffusion.training.models.unet import LATENT_SHAPE
from riffusion.training.models.vae import decode

STEPS, GUIDANCE = 20, 4.0


@torch.no_grad()
def sample(
    pipeline: StableDiffusionPipeline,
    captions: Sequence[str],
    seeds: Sequence[int],
    *,
    batch: int = 4,
    steps: int = STEPS,
    guidance_scale: float = GUIDANCE,
) -> Pictures:
    """Pictures [N, 512, 512], one for each caption and seed. A picture doesn't depend on its batch."""
    pictures = []
    for first in range(0, len(captions), batch):
        rows = slice(first, first + batch)
        latents = _denoise(pipeline, captions[rows], seeds[rows], steps, guidance_scale)
        pictures.append(decode(pipeline.vae, latents))
    return np.concatenate(pictures)


def _denoise(
    pipeline: StableDiffusionPipeline, captions: Sequence[str], seeds: Sequence[int], steps: int, guidance_scale: float
) -> torch.Tensor:
    """Scaled latents [N, 4, 64, 64]."""
    ids = token_ids(pipeline.tokenizer, [*([""] * len(captions)), *captions])
    prompt_embeds = encode_prompt(pipeline.text_encoder, ids)
    scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(steps)
    noise = [torch.randn(LATENT_SHAPE, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    latents: torch.Tensor = torch.stack(noise) * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        noise_pred = pipeline.unet(latents.repeat(2, 1, 1, 1), timestep, prompt_embeds, return_dict=False)[0]
        noise_pred_uncond, noise_pred_text = noise_pred.chunk(2)
        noise_pred = noise_pred_uncond + guidance_scale * (noise_pred_text - noise_pred_uncond)
        latents = scheduler.step(noise_pred, timestep, latents, return_dict=False)[0]
    return latents
