"""A Stable Diffusion 1.5 in its real size, with random weights, in the files of 2022: on the command line and a worker.

`make test-sd15` runs it. It isn't part of the daily check: on a CPU each guided step takes up to 20 processor seconds,
and the process about 6 GB.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers.pre_tokenizers import ByteLevel

from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.testing import random_stable_diffusion
from tests.acceptance.conftest import start
from tests.conftest import S3Server, ValkeyServer

pytestmark = pytest.mark.timeout(3600)

PARAMETERS = 859_520_964  # of its UNet
VOCABULARY = 49_408
VERSION = "0.9.0"
UNET = {
    "_class_name": "UNet2DConditionModel", "_diffusers_version": VERSION, "act_fn": "silu", "attention_head_dim": 8,
    "block_out_channels": [320, 640, 1280, 1280], "center_input_sample": False, "cross_attention_dim": 768,
    "down_block_types": [*["CrossAttnDownBlock2D"] * 3, "DownBlock2D"], "downsample_padding": 1,
    "dual_cross_attention": False, "flip_sin_to_cos": True, "freq_shift": 0, "in_channels": 4, "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-05, "norm_num_groups": 32, "only_cross_attention": False, "out_channels": 4, "sample_size": 64,
    "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3], "use_linear_projection": False,
}  # fmt: skip
VAE = {
    "_class_name": "AutoencoderKL", "_diffusers_version": VERSION, "act_fn": "silu",
    "block_out_channels": [128, 256, 512, 512], "down_block_types": ["DownEncoderBlock2D"] * 4, "in_channels": 3,
    "latent_channels": 4, "layers_per_block": 2, "norm_num_groups": 32, "out_channels": 3, "sample_size": 512,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}  # fmt: skip
TEXT_ENCODER = {
    "_name_or_path": "openai/clip-vit-large-patch14", "architectures": ["CLIPTextModel"], "attention_dropout": 0.0,
    "bos_token_id": 0, "dropout": 0.0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 768,
    "initializer_factor": 1.0, "initializer_range": 0.02, "intermediate_size": 3072, "layer_norm_eps": 1e-05,
    "max_position_embeddings": 77, "model_type": "clip_text_model", "num_attention_heads": 12, "num_hidden_layers": 12,
    "pad_token_id": 1, "projection_dim": 768, "torch_dtype": "float16", "transformers_version": "4.25.1",
    "vocab_size": VOCABULARY,
}  # fmt: skip
SCHEDULER = {
    "_class_name": "PNDMScheduler", "_diffusers_version": VERSION, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "set_alpha_to_one": False,
    "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": VERSION,
    "feature_extractor": ["transformers", "CLIPImageProcessor"], "safety_checker": [None, None],
    "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}  # fmt: skip


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False), encoding="utf-8")


def save_tokenizer(folder: Path) -> None:
    """The four files of 2022's tokenizers, without `tokenizer.json`; as many merges as CLIP's, of any two letters."""
    letters = sorted(ByteLevel.alphabet())
    ends = [f"{letter}</w>" for letter in letters]
    special = ["<|startoftext|>", "<|endoftext|>"]
    count = VOCABULARY - len(letters) - len(ends) - len(special)
    pairs = list(itertools.islice(itertools.product(letters, ends), count))
    tokens = [*letters, *ends, *("".join(pair) for pair in pairs), *special]
    write_json(folder / "vocab.json", {token: index for index, token in enumerate(tokens)})
    merges = "\n".join(" ".join(pair) for pair in pairs)
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    start, end = (
        {"content": token, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
        for token in special
    )
    names = {"bos_token": start, "eos_token": end, "unk_token": end}
    write_json(folder / "special_tokens_map.json", {**names, "pad_token": special[1]})
    typed = {name: {"__type": "AddedToken", **token} for name, token in names.items()}
    write_json(
        folder / "tokenizer_config.json",
        {
            **typed, "add_prefix_space": False, "do_lower_case": True, "errors": "replace", "model_max_length": 77,
            "name_or_path": "openai/clip-vit-large-patch14", "pad_token": special[1],
            "special_tokens_map_file": "./special_tokens_map.json", "tokenizer_class": "CLIPTokenizer",
        },
    )  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "sd15"
    parts = random_stable_diffusion(torch.device("cpu"), torch.float16)
    assert sum(weights.numel() for weights in parts.unet.parameters()) == PARAMETERS
    for name, config in {"unet": UNET, "vae": VAE, "text_encoder": TEXT_ENCODER}.items():
        getattr(parts, name).save_pretrained(folder / name)
        write_json(folder / name / "config.json", config)
    write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    write_json(folder / "model_index.json", INDEX)
    save_tokenizer(folder / "tokenizer")
    return folder


def levels(picture: Path) -> int:
    """How many grey levels a picture has: noise has many."""
    return len(np.unique(np.asarray(Image.open(picture))))


def test_a_clip_on_the_command_line(model: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "RIFFUSION_CHECKPOINT": str(model), "RIFFUSION_DEVICE": "cpu"}
    command = ["generate", "funk bassline", "--steps", "2", "--seed", "1", "-o", "clip.png", "-o", "clip.mp3"]
    subprocess.run([sys.executable, "-m", "riffusion", *command], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "clip.mp3").stat().st_size > 10_000
    assert levels(tmp_path / "clip.png") > 50


def test_a_clip_of_a_worker(model: Path, tmp_path: Path, valkey: ValkeyServer, s3_server: S3Server) -> None:
    unhurried = {"running_deadline_s": 3600, "stalled_deadline_s": 1800}
    with start(tmp_path, valkey, s3_server, checkpoint=model, device="cpu", **unhurried) as stack:
        stack.start_worker(within_s=1800)
        job = stack.client.submit(TextToAudio(prompt="funk bassline", steps=2, seed=1)).wait()
        job.download(tmp_path, "clip")
    assert levels(tmp_path / "clip.png") > 50
