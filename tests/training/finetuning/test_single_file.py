"""The file of all weights is what diffusers' `from_single_file` reads, at tiny and at real shapes."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel

from riffusion.testing import random_stable_diffusion, save_tiny_checkpoint
from riffusion.training.finetuning.single_file import (
    original_text_encoder,
    original_unet,
    original_vae,
    save_single_file,
)

BUNDLED = Path(__file__).parents[3] / "riffusion" / "models" / "tiny"


@pytest.mark.parametrize("name", ["tiny", "bundled"])
def test_it_opens_with_the_same_weights(name: str, tmp_path: Path) -> None:
    model = BUNDLED if name == "bundled" else save_tiny_checkpoint(tmp_path / "tiny")
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    save_single_file(pipeline, tmp_path / "model.safetensors")
    opened = StableDiffusionPipeline.from_single_file(tmp_path / "model.safetensors", config=str(model))
    for part in ("unet", "vae", "text_encoder"):
        assert_equal(getattr(opened, part).state_dict(), getattr(pipeline, part).state_dict())


def test_the_shapes_of_stable_diffusion_1() -> None:
    checkpoint = random_stable_diffusion(torch.device("meta"), torch.float32)
    unet, vae = checkpoint.unet, checkpoint.vae
    names = original_unet(unet.state_dict(), unet.config.layers_per_block)
    assert len(names) == 686  # as in the original's file; the autoencoder has 248
    ups = [name for name in names if name.endswith(".conv.weight") and "output_blocks" in name]
    assert ups == [f"model.diffusion_model.output_blocks.{place}.conv.weight" for place in ("2.1", "5.2", "8.2")]
    assert_same_shapes(convert_ldm_unet_checkpoint(names, unet.config), unet.state_dict())
    names = original_vae(vae.state_dict())
    assert len(names) == 248
    assert names["first_stage_model.decoder.mid.attn_1.q.weight"].shape == (512, 512, 1, 1)
    assert_same_shapes(convert_ldm_vae_checkpoint(names, vae.config), vae.state_dict())


def test_attention_of_the_autoencoder_keeps_its_weights() -> None:
    vae = AutoencoderKL(block_out_channels=(4, 8), down_block_types=("DownEncoderBlock2D",) * 2,
                        up_block_types=("UpDecoderBlock2D",) * 2, norm_num_groups=2)  # fmt: skip
    assert_equal(convert_ldm_vae_checkpoint(original_vae(vae.state_dict()), vae.config), vae.state_dict())


def test_the_parts_of_stable_diffusion_2() -> None:
    config = CLIPTextConfig(
        vocab_size=9, hidden_size=16, intermediate_size=8, num_hidden_layers=23, num_attention_heads=2
    )
    encoder = CLIPTextModel(config)
    weights = original_text_encoder(encoder.state_dict(), 23)
    assert weights["cond_stage_model.model.transformer.resblocks.22.attn.in_proj_weight"].shape == (48, 16)
    assert weights["cond_stage_model.model.positional_embedding"].shape == (77, 16)
    read = convert_open_clip_checkpoint(encoder, dict(weights))
    assert_equal({name.removeprefix("text_model."): weight for name, weight in read.items()}, encoder.state_dict())
    with torch.device("meta"):
        unet = UNet2DConditionModel(
            cross_attention_dim=1024, attention_head_dim=(5, 10, 20, 20), use_linear_projection=True
        )
    original = original_unet(unet.state_dict(), unet.config.layers_per_block)
    assert_same_shapes(convert_ldm_unet_checkpoint(original, unet.config), unet.state_dict())


def assert_equal(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert all(torch.equal(weight, expected[name]) for name, weight in found.items())


def assert_same_shapes(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert {name: weight.shape for name, weight in found.items()} == {n: w.shape for n, w in expected.items()}
