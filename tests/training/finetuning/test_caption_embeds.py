"""Captions are embedded for training as a worker embeds them as prompts."""

import pytest
import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.testing import tiny_checkpoint
from riffusion.training.finetuning.caption_embeds import EncodeCaptions, cached_embeds, trained_embeds

SHORT, WEIGHTED, LONG = "funk", "slow (bass:1.6) [solo]", "violin " * 30  # a token a byte: the last fills three chunks
CAPTIONS = ["", SHORT, WEIGHTED, LONG]


@pytest.fixture
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


@pytest.fixture(params=["cached", "trained"])
def encode(request: pytest.FixtureRequest, checkpoint: Checkpoint) -> EncodeCaptions:
    if request.param == "cached":
        return cached_embeds(checkpoint, CAPTIONS)
    return trained_embeds(checkpoint, checkpoint.text_encoder)


def test_each_is_as_in_a_request(encode: EncodeCaptions) -> None:
    prompts = PromptEncoder(tiny_checkpoint())
    for caption in CAPTIONS:
        (found,), (expected, _) = encode([caption]), prompts.encode(caption, "")
        assert torch.allclose(found, expected, atol=1e-5)


@torch.no_grad()
def test_longer_ones_beside_it_change_nothing(encode: EncodeCaptions, checkpoint: Checkpoint) -> None:
    def noise_pred(captions: list[str]) -> Tensor:
        latents = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)).expand(len(captions), -1, -1, -1)
        predicted: Tensor = checkpoint.unet(latents, torch.tensor(500), encode(captions), return_dict=False)[0]
        return predicted

    together = noise_pred([SHORT, LONG])
    assert torch.allclose(together[0], noise_pred([SHORT])[0], atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_cached_ones_need_no_text_encoder(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = cached_embeds(checkpoint, CAPTIONS)
    monkeypatch.setattr(checkpoint.text_encoder, "forward", None)
    assert encode(CAPTIONS).shape == (4, 4 * 77, 16)


def test_a_text_encoder_in_training_gets_gradients(checkpoint: Checkpoint) -> None:
    checkpoint.text_encoder.requires_grad_(True)
    trained_embeds(checkpoint, checkpoint.text_encoder)([WEIGHTED, LONG]).square().mean().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is not None for weight in checkpoint.text_encoder.parameters())
