"""What a training changes of a checkpoint: LoRA layers in some of its layers, or all weights."""

from collections.abc import Mapping

import torch
from peft import LoraConfig
from torch import nn

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.lora import Part
from riffusion.training.finetuning.options import TrainingOptions

Layers = Mapping[Part, list[str]]
"""The layers of each part that get LoRA, by the ends of their names."""

ATTENTION: Layers = {
    "unet": ["to_q", "to_k", "to_v", "to_out.0"],
    "text_encoder": ["q_proj", "k_proj", "v_proj", "out_proj"],
}
"""Those of a fine-tuning."""
ATTENTION_OF_UNET: Layers = {"unet": ATTENTION["unet"]}
"""Those of a fine-tuning that leaves the text encoder as it is."""
EVERYTHING: Layers = {
    "unet": [
        *ATTENTION["unet"], "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2", "conv1", "conv2", "conv_shortcut",
        "downsamplers.0.conv", "upsamplers.0.conv", "time_emb_proj",
    ]
}  # fmt: skip
"""Those of LCM-LoRA (Luo et al. 2023), for trainings that change what the UNet does with every noise level."""


def trained_parts(checkpoint: Checkpoint, options: TrainingOptions, layers: Layers) -> dict[Part, nn.Module]:
    """The parts that have `layers`, in training mode; their weights to train require gradients."""
    modules: dict[Part, nn.Module] = {"unet": checkpoint.unet, "text_encoder": checkpoint.text_encoder}
    parts = {name: modules[name] for name in layers}
    torch.manual_seed(options.seed)
    for name, module in parts.items():
        module.train()
        if options.method == "full":
            module.requires_grad_(True)
        else:
            config = LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=layers[name])
            module.add_adapter(config)  # type: ignore[operator]  # peft's, mixed into the class
    if options.gradient_checkpointing:
        checkpoint.unet.enable_gradient_checkpointing()
        checkpoint.text_encoder.activation_checkpointing_enable({"use_reentrant": False})
    return parts


def trained_weights(parts: dict[Part, nn.Module]) -> list[nn.Parameter]:
    """The weights that require gradients, always in the same order."""
    return [weight for module in parts.values() for weight in module.parameters() if weight.requires_grad]
