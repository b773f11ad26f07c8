"""The bundled model's UNet, its noise schedule and its loss."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0
from torch import nn

from riffusion.training.models.text_encoder import WIDTH

TIMESTEPS = 1000
_NOISE_BIAS = 0.65  # below 1: noisy timesteps, where layout and text are decided, are drawn more often
_NOTES = (420, 850)  # timesteps at which it is decided where notes stand; wrong there, the less noisy ones keep it
_FOCUS = 0.75  # share of the timesteps that are drawn from there, where a training is focused on notes
LATENT_SHAPE = (4, 64, 64)
"""[C, H, W]."""


def new_unet() -> UNet2DConditionModel:
    """An untrained UNet of Stable Diffusion's class, with attention at 32×32, 16×16 and 8×8.

    The partials of a note lie up to 40 latent rows apart. At 32×32 a position is 16 rows of the picture and 160 ms,
    short enough to hold single notes: there attention aligns them.
    """
    unet = UNet2DConditionModel(
        sample_size=LATENT_SHAPE[1],
        in_channels=LATENT_SHAPE[0],
        out_channels=LATENT_SHAPE[0],
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(32, 64, 96, 160),
        layers_per_block=1,
        attention_head_dim=(4, 2, 4, 4),  # numbers of heads, in spite of the name
        norm_num_groups=8,
        cross_attention_dim=WIDTH,
    )
    return prepared(unet)


def unet_from(folder: Path) -> UNet2DConditionModel:
    """A UNet with the weights of a saved one; attention that the saved one lacks starts without effect.

    Raises:
        ValueError: the saved one has weights of other names or shapes than attention layers can account for.
    """
    unet = new_unet()
    saved = UNet2DConditionModel.from_pretrained(folder, torch_dtype=torch.float32).state_dict()
    own = unet.state_dict()
    missing = own.keys() - saved.keys()
    if any(name not in own or own[name].shape != weight.shape for name, weight in saved.items()) or any(
        ".attentions." not in name for name in missing
    ):
        raise ValueError("The saved UNet isn't one of the bundled model's kind.")
    unet.load_state_dict(saved, strict=False)
    for name, module in unet.named_modules():
        if f"{name}.proj_out.weight" in missing:
            nn.init.zeros_(module.proj_out.weight)
            nn.init.zeros_(module.proj_out.bias)
    return unet


def prepared(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The UNet in the memory layout and with the attention that train fastest on a CPU."""
    unet.set_attn_processor(AttnProcessor2_0())
    return unet.to(memory_format=torch.channels_last)


def compiled(unet: UNet2DConditionModel) -> Any:
    """A callable like the UNet, with its weights, that trains faster after minutes of compilation in the first step.

    On a CPU the attention is written out, so that softmax and products are fused: flash attention, which can't be,
    takes a third of a step (`bench/training.py`).
    """
    if unet.device.type == "cpu":
        unet.set_attn_processor(AttnProcessor())
    return torch.compile(unet, dynamic=False)


def noise_schedule() -> DDPMScheduler:
    """Stable Diffusion's noise levels; the UNet predicts velocity (Salimans and Ho 2022)."""
    return DDPMScheduler(
        num_train_timesteps=TIMESTEPS,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        clip_sample=False,
    )


def _draw_timesteps(count: int, generator: torch.Generator, *, on_notes: bool) -> torch.Tensor:
    draw = torch.rand(count, generator=generator)
    timesteps = (TIMESTEPS * draw**_NOISE_BIAS).long().clamp_max(TIMESTEPS - 1)
    if not on_notes:
        return timesteps
    low, high = _NOTES
    focused = torch.rand(count, generator=generator) < _FOCUS
    return torch.where(focused, (low + (high - low) * draw).long(), timesteps)


def velocity_loss(
    unet: Callable[..., Any],
    schedule: DDPMScheduler,
    latents: torch.Tensor,
    prompt_embeds: torch.Tensor,
    generator: torch.Generator,
    *,
    on_notes: bool,
    bf16: bool,
) -> torch.Tensor:
    """Mean squared error of the predicted velocity, for latents [N, 4, 64, 64] and embeddings [N, 77, WIDTH].

    The velocity is √ᾱ · noise - √(1 - ᾱ) · latents. It is unweighted: weights such as min-SNR make little of the noisy
    timesteps, and with them of layout and text.

    Args:
        generator: on the CPU, wherever the latents are.
        on_notes: draws most timesteps where the places of notes are decided.
    """
    device = latents.device
    noise = torch.randn(latents.shape, generator=generator).to(device)
    timesteps = _draw_timesteps(len(latents), generator, on_notes=on_notes).to(device)
    noisy = schedule.add_noise(latents, noise, timesteps).contiguous(memory_format=torch.channels_last)
    velocity = schedule.get_velocity(latents, noise, timesteps)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        velocity_pred = unet(noisy, timesteps, prompt_embeds, return_dict=False)[0]
    return F.mse_loss(velocity_pred.float(), velocity)
