"""The same latents as diffusers' own pipeline makes, for the families of Stable Diffusion and every sampler."""

from typing import Any, Literal

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel

from riffusion.diffusion.checkpoint import Checkpoint, place
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest
from riffusion.requests import Scheduler
from riffusion.testing import tiny_checkpoint
from tests.diffusion.diffusers_samplers import DETERMINISTIC, STOCHASTIC

Family = Literal["1.x", "2.x", "2.x-v"]
THEIRS = STOCHASTIC | DETERMINISTIC
SHAPE, STEPS, GUIDANCE, SEED = (4, 16, 16), 4, 4.0, 5
PROMPT, NEGATIVE = "funk bass", "vocals"


def model(family: Family) -> Checkpoint:
    """A tiny model of a family: 2.x has linear projections around its attention and as many heads as it is wide."""
    parts = tiny_checkpoint(prediction_type="v_prediction" if family == "2.x-v" else "epsilon")
    if family == "1.x":
        return parts
    torch.manual_seed(1)
    unet = UNet2DConditionModel.from_config(
        parts.unet.config, use_linear_projection=True, attention_head_dim=[1, 2, 2, 4]
    )
    return place(
        tokenizer=parts.tokenizer, text_encoder=parts.text_encoder, unet=unet, vae=parts.vae,
        scheduler_config=parts.scheduler_config, device=parts.device, dtype=parts.dtype,
    )  # fmt: skip


def ours(parts: Checkpoint, scheduler: Scheduler, guidance_end: float = 1.0) -> torch.Tensor:
    prompt, negative = PromptEncoder(parts).encode(PROMPT, NEGATIVE)
    request = DenoiseRequest(
        prompt, negative, GUIDANCE, SeededNoise(SEED), SHAPE, scheduler, STEPS, guidance_end=guidance_end
    )
    engine = Engine(Denoiser(parts), max_rows=1)
    try:
        return engine.submit(request).result()
    finally:
        engine.close()


def theirs(parts: Checkpoint, scheduler: Scheduler, guided_steps: int | None = None) -> torch.Tensor:
    pipeline = StableDiffusionPipeline(
        vae=parts.vae, text_encoder=parts.text_encoder, tokenizer=parts.tokenizer, unet=parts.unet,
        scheduler=THEIRS[scheduler].from_config(parts.scheduler_config), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(SEED)
    latents = torch.randn(1, *SHAPE, generator=generator)

    def end_guidance(
        pipe: Any, step: int, _timestep: object, tensors: dict[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """As their documentation ends guidance within a run."""
        if step + 1 == guided_steps:
            pipe._guidance_scale = 0.0
            tensors["prompt_embeds"] = tensors["prompt_embeds"].chunk(2)[-1]
        return tensors

    made: torch.Tensor = pipeline(
        PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=latents,
        generator=generator, output_type="latent", eta=0.3 if scheduler == "tcd" else 0.0,
        callback_on_step_end=end_guidance, callback_on_step_end_tensor_inputs=["prompt_embeds"],
    ).images[0]  # fmt: skip
    return made


@pytest.mark.parametrize("scheduler", THEIRS)
@pytest.mark.parametrize("family", ["1.x", "2.x", "2.x-v"])
def test_the_latents_are_those_of_diffusers(family: Family, scheduler: Scheduler) -> None:
    parts = model(family)
    assert torch.allclose(ours(parts, scheduler), theirs(parts, scheduler), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("scheduler", THEIRS)
def test_so_they_are_where_guidance_ends_half_way(scheduler: Scheduler) -> None:
    parts = model("1.x")
    guided = 3 if scheduler == "pndm" else 2  # of 5 calls, of 4
    assert torch.allclose(ours(parts, scheduler, 0.5), theirs(parts, scheduler, guided), atol=1e-4, rtol=1e-4)
