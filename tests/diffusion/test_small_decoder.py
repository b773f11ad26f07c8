"""Small decoders in TAESD's layout, and the linear map in place of one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny
from safetensors.torch import load_file

from riffusion.diffusion.checkpoint import SMALL_DECODER, load_checkpoint
from riffusion.diffusion.small_decoder import SmallDecoder, decode_linearly, preview_decoder
from riffusion.errors import CheckpointUnavailable
from riffusion.testing import save_tiny_checkpoint, tiny_checkpoint
from riffusion.training.models.small_decoder import new_small_decoder

CPU = torch.device("cpu")
# The public config.json of TAESD for Stable Diffusion 1.x and 2.x, as diffusers hosts it.
TAESD: dict[str, Any] = {
    "_class_name": "AutoencoderTiny", "_diffusers_version": "0.20.0.dev0", "act_fn": "relu",
    "decoder_block_out_channels": [64, 64, 64, 64], "encoder_block_out_channels": [64, 64, 64, 64],
    "force_upcast": False, "in_channels": 3, "latent_channels": 4, "latent_magnitude": 3, "latent_shift": 0.5,
    "num_decoder_blocks": [3, 3, 3, 1], "num_encoder_blocks": [1, 3, 3, 3], "out_channels": 3, "scaling_factor": 1.0,
    "upsampling_scaling_factor": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights in the layout of TAESD's beside its own."""
    made = save_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny")
    torch.manual_seed(0)
    AutoencoderTiny.from_config(TAESD).half().save_pretrained(made / SMALL_DECODER)
    (made / SMALL_DECODER / "config.json").write_text(json.dumps(TAESD))
    return made


def test_taesds_layout_is_loaded_and_decodes(folder: Path) -> None:
    names = load_file(folder / SMALL_DECODER / "diffusion_pytorch_model.safetensors").keys()
    assert {"decoder.layers.0.weight", "decoder.layers.3.conv.0.weight", "encoder.layers.0.weight"} <= names
    checkpoint = load_checkpoint(folder, None, CPU, torch.float32)
    assert checkpoint.small_vae is not None
    latents = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        colours = checkpoint.small_vae.decode(latents[None]).sample[0].mean(0)
    picture = preview_decoder(checkpoint)(latents)
    assert picture.shape == (48, 24)
    assert picture.dtype == np.uint8
    expected = ((colours + 1) * 127.5).clamp(0, 255).numpy()
    assert np.abs(picture - expected).max() <= 1


def test_a_coarse_picture_has_the_means_of_the_exact_one() -> None:
    torch.manual_seed(0)
    small = new_small_decoder().eval().requires_grad_(False)
    small.decoder.layers[-1].bias += 0.2
    decoder = SmallDecoder(small, CPU, torch.float32)
    latents = torch.randn(4, 6, 3)
    exact, coarse = decoder.decode(latents).astype(float), decoder.decode_coarsely(latents)
    assert coarse.shape == exact.shape == (48, 24)
    means = exact.reshape(24, 2, 12, 2).mean((1, 3))
    assert exact.std() > 1
    assert np.abs(coarse[::2, ::2] - means)[1:-1, 1:-1].max() <= 1
    assert (coarse[::2] == coarse[1::2]).all()


def test_a_damaged_one_names_the_model(folder: Path) -> None:
    path = folder / SMALL_DECODER / "diffusion_pytorch_model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    try:
        with pytest.raises(CheckpointUnavailable, match=str(folder)):
            load_checkpoint(folder, None, CPU, torch.float32)
    finally:
        path.write_bytes(whole)


def test_where_there_is_none_latents_are_shown_linearly() -> None:
    checkpoint = tiny_checkpoint()
    assert preview_decoder(checkpoint) is decode_linearly
    latents = torch.zeros(4, 2, 3)
    latents[0, 0, 0] = 2.0  # Stable Diffusion's first channel is mostly brightness
    picture = decode_linearly(latents)
    assert picture.shape == (16, 24)
    assert picture[0, 0] > picture[-1, -1] == 128
    assert (picture[:8, :8] == picture[0, 0]).all()


def test_what_is_not_finite_is_a_picture_too() -> None:
    checkpoint = replace(tiny_checkpoint(), small_vae=AutoencoderTiny().eval())
    for decode in (preview_decoder(checkpoint), decode_linearly):
        assert decode(torch.full((4, 1, 1), float("nan"))).shape == (8, 8)
