from pathlib import Path

import pytest
import torch
from torch import Tensor

from riffusion.testing import tiny_checkpoint
from riffusion.training.finetuning.caption_embeds import trained_embeds
from riffusion.training.finetuning.options import Method, TrainingOptions
from riffusion.training.finetuning.trained_parts import ATTENTION, ATTENTION_OF_UNET, trained_parts, trained_weights

FOLDER = Path("unused")


def gradients(options: TrainingOptions) -> tuple[list[Tensor], int]:
    """Of one step, and how often a residual block of the UNet was begun."""
    checkpoint = tiny_checkpoint()
    parts = trained_parts(checkpoint, options, ATTENTION)
    weights, calls = trained_weights(parts), []
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.1)  # no factor is 0, so that all have gradients
    checkpoint.unet.up_blocks[3].resnets[0].register_forward_pre_hook(lambda *_: calls.append(1))
    embeds = trained_embeds(checkpoint, checkpoint.text_encoder)(["funk"])
    assert checkpoint.text_encoder.is_activation_checkpointing is options.gradient_checkpointing
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    checkpoint.unet(latents, torch.tensor([500]), embeds, return_dict=False)[0].square().mean().backward()
    return [weight.grad for weight in weights if weight.grad is not None], len(calls)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_gradient_checkpointing_computes_blocks_again_and_changes_nothing(method: Method) -> None:
    options = TrainingOptions(checkpoint="tiny", data=FOLDER, output=FOLDER, method=method)
    plain, once = gradients(options)
    again, twice = gradients(TrainingOptions(**vars(options) | {"gradient_checkpointing": True}))
    assert (once, twice) == (1, 2)
    assert len(plain) == len(again) == len(trained_weights(trained_parts(tiny_checkpoint(), options, ATTENTION)))
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(plain, again, strict=True))


@pytest.mark.parametrize("text", [False, True])
def test_lora_trains_its_own_layers_alone(text: bool) -> None:
    checkpoint = tiny_checkpoint()
    layers = ATTENTION if text else ATTENTION_OF_UNET
    trained_parts(checkpoint, TrainingOptions(checkpoint="tiny", data=FOLDER, output=FOLDER), layers)
    for part, count in ((checkpoint.unet, 32), (checkpoint.text_encoder, 8 if text else 0)):
        names = [name for name, weight in part.named_parameters() if weight.requires_grad]
        assert len(names) > 0 or not count
        assert all("lora_" in name for name in names)
