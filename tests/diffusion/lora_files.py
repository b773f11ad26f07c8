"""LoRA files for the tiny model, as diffusers and peft write them."""

from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor, nn

from riffusion.testing import tiny_checkpoint

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]


def save_lora(folder: Path, seed: int = 0, targets: list[str] = ATTENTION, *, text_encoder: bool = False) -> None:
    """A random LoRA for the UNet and, if asked for, the text encoder, in a folder of its own."""
    parts = tiny_checkpoint()
    torch.manual_seed(seed)
    layers = {"unet_lora_layers": _adapted(parts.unet, targets)}
    if text_encoder:
        layers["text_encoder_lora_layers"] = _adapted(parts.text_encoder, ["q_proj", "v_proj"])
    StableDiffusionPipeline.save_lora_weights(folder, **layers, safe_serialization=True)


def _adapted(part: nn.Module, targets: list[str]) -> dict[str, Tensor]:
    config = LoraConfig(r=2, lora_alpha=2, target_modules=targets, init_lora_weights=False)
    part.add_adapter(config)  # type: ignore[operator]  # peft's, mixed into the class
    layers: dict[str, Tensor] = convert_state_dict_to_diffusers(get_peft_model_state_dict(part))
    return layers
