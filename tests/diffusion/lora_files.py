"""LoRA files as diffusers, peft and kohya's scripts write them."""

from pathlib import Path
from typing import Literal

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn

from riffusion.testing import tiny_checkpoint

ATTENTION = ["to_q", "to_k", "to_v", "to_out.0"]
CONSISTENCY = [
    *ATTENTION, "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "conv_shortcut",
    "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj",
]  # fmt: skip
"""The layers that consistency distillation adapts, in diffusers' script and so in LCM-LoRA and Hyper-SD."""
Layout = Literal["kohya", "diffusers", "peft"]


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


def save_distilled_lora(path: Path, unet: nn.Module, layout: Layout, dtype: torch.dtype) -> dict[str, Tensor]:
    """A random LoRA of rank 2 for the layers that distillation adapts; returns what it adds to each weight.

    LCM-LoRA for SD 1.5 has kohya's names in half precision, with an alpha a layer. The Hyper-SD files have the size of
    the same layers in single precision; newer scripts write diffusers' or peft's names.
    """
    generator = torch.Generator().manual_seed(7)
    alpha = 1.0 if layout == "kohya" else 2.0  # only kohya's layout says another one than the rank
    tensors, added = {}, {}
    for name, weight in unet.named_parameters():
        layer = name.removesuffix(".weight")
        if weight.ndim < 2 or not layer.endswith(tuple(f".{target}" for target in CONSISTENCY)):
            continue
        down = torch.randn(2, *weight.shape[1:], generator=generator).to(dtype)
        up = torch.randn(weight.shape[0], 2, *[1] * (weight.ndim - 2), generator=generator).to(dtype)
        added[name] = alpha / 2 * (up.float().flatten(1) @ down.float().flatten(1)).view(weight.shape)
        match layout:
            case "kohya":
                key = "lora_unet_" + layer.replace(".", "_")
                tensors[f"{key}.alpha"] = torch.tensor(alpha).to(dtype)
                tensors |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}
            case "diffusers":
                tensors |= {f"unet.{layer}.lora.down.weight": down, f"unet.{layer}.lora.up.weight": up}
            case "peft":
                tensors |= {f"unet.{layer}.lora_A.weight": down, f"unet.{layer}.lora_B.weight": up}
    save_file(tensors, path)
    return added
