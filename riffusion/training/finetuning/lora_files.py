"""The files of a trained LoRA: diffusers' layout, which workers load, and that of kohya's scripts, which ComfyUI loads.

Other programs know the text encoder's layers by the names of transformers before 5.6, in which they belong to a
`text_model`; diffusers reads both. The UNet's layers keep peft's names: diffusers' older ones exist for attention
alone, and it doesn't read a file that mixes the two. Kohya's names have an underscore for each dot, and each layer its
alpha: as here it equals the rank, the factors' product counts as it is.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from diffusers.utils import convert_state_dict_to_diffusers
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn

from riffusion.diffusion.lora import Part

KOHYA_FILE = "kohya.safetensors"
_KOHYA_PREFIX: dict[Part, str] = {"unet": "lora_unet", "text_encoder": "lora_te"}


def save_lora(parts: Mapping[Part, nn.Module], folder: Path) -> None:
    """Writes the LoRA layers of these parts into `pytorch_lora_weights.safetensors` and `kohya.safetensors`."""
    layers = {part: _layers(module, part) for part, module in parts.items()}
    StableDiffusionPipeline.save_lora_weights(
        folder,
        **{
            f"{part}_lora_layers": weights if part == "unet" else convert_state_dict_to_diffusers(weights)
            for part, weights in layers.items()
        },
        safe_serialization=True,
    )
    save_file(
        {name: tensor for part, weights in layers.items() for name, tensor in _kohya(part, weights)},
        folder / KOHYA_FILE,
        metadata={"format": "pt"},
    )


def _layers(module: nn.Module, part: Part) -> dict[str, Tensor]:
    """By peft's names, which are the layer's and `.lora_A.weight` [rank, in] or `.lora_B.weight` [out, rank]."""
    layers = {name: weight.cpu() for name, weight in get_peft_model_state_dict(module).items()}
    if part == "text_encoder":
        layers = {f"text_model.{name.removeprefix('text_model.')}": weight for name, weight in layers.items()}
    return layers


def _kohya(part: Part, layers: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The same factors by kohya's names, and the alphas."""
    for name, weight in layers.items():
        layer, _, factor = name.rpartition(".lora_")
        layer = f"{_KOHYA_PREFIX[part]}_{layer.replace('.', '_')}"
        if factor == "A.weight":
            yield f"{layer}.lora_down.weight", weight
            yield f"{layer}.alpha", torch.tensor(float(len(weight)))
        else:
            yield f"{layer}.lora_up.weight", weight
