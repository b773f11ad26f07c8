"""What a fine-tuning trains of a checkpoint: LoRA layers in the attention, or all weights."""

import torch
from peft import LoraConfig
from torch import nn

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.lora import Part
from riffusion.training.finetuning.options import FinetuneOptions

_ATTENTION: dict[Part, list[str]] = {
    "unet": ["to_q", "to_k", "to_v", "to_out.0"],
    "text_encoder": ["q_proj", "k_proj", "v_proj", "out_proj"],
}


def trained_parts(checkpoint: Checkpoint, options: FinetuneOptions) -> dict[Part, nn.Module]:
    """The UNet and, if asked for, the text encoder, in training mode; their weights to train require gradients."""
    parts: dict[Part, nn.Module] = {"unet": checkpoint.unet}
    if options.train_text_encoder:
        parts["text_encoder"] = checkpoint.text_encoder
    torch.manual_seed(options.seed)
    for name, module in parts.items():
        module.train()
        if options.method == "full":
            module.requires_grad_(True)
        else:
            config = LoraConfig(r=options.rank, lora_alpha=options.rank, target_modules=_ATTENTION[name])
            module.add_adapter(config)  # type: ignore[operator]  # peft's, mixed into the class
    if options.gradient_checkpointing:
        checkpoint.unet.enable_gradient_checkpointing()
        checkpoint.text_encoder.activation_checkpointing_enable({"use_reentrant": False})
    return parts


def trained_weights(parts: dict[Part, nn.Module]) -> list[nn.Parameter]:
    """The weights that require gradients, always in the same order."""
    return [weight for module in parts.values() for weight in module.parameters() if weight.requires_grad]
