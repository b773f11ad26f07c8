"""For tests and benchmarks: Stable Diffusion's classes with random weights, tiny or in full size, and a test sound.

The tiny model generates noise within milliseconds, through the same code as a real checkpoint.
"""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from riffusion.diffusion.checkpoint import Checkpoint, place

_TEXT_WIDTH = 16
_SCHEDULE: dict[str, Any] = {
    "_class_name": "PNDMScheduler",
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "set_alpha_to_one": False,
    "skip_prk_steps": True,
    "steps_offset": 1,
}
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")


def tiny_checkpoint(seed: int = 0, prediction_type: Literal["epsilon", "v_prediction"] = "v_prediction") -> Checkpoint:
    """A tiny Stable Diffusion on the CPU in float32; the same seed gives the same random weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = {"text_encoder": _text_encoder(), "unet": _unet(), "vae": _autoencoder()}
    config = _SCHEDULE | {"prediction_type": prediction_type}
    return place(
        tokenizer=_tokenizer(), scheduler_config=config, device=torch.device("cpu"), dtype=torch.float32, **parts
    )


def random_stable_diffusion(device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Stable Diffusion 1.5's exact architecture with random weights, which costs as much as the real one.

    Its tokenizer has one token per byte, so a prompt has more tokens than with the real one.
    """
    with torch.device(device), torch.random.fork_rng():
        text_encoder = CLIPTextModel(
            CLIPTextConfig(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12)
        )
        unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            layers_per_block=2,
            sample_size=512,
        )
    parts: dict[str, Any] = {"text_encoder": text_encoder, "unet": unet, "vae": vae}
    for module in parts.values():
        module.to(dtype)
    return place(
        tokenizer=_tokenizer(),
        **parts,
        scheduler_config=_SCHEDULE | {"prediction_type": "epsilon"},
        device=device,
        dtype=dtype,
    )


def save_tiny_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Saves `tiny_checkpoint` as a folder in diffusers format, for `StableDiffusionPipeline.from_pretrained`."""
    checkpoint = tiny_checkpoint(seed)
    for name in ("tokenizer", "text_encoder", "unet", "vae"):
        getattr(checkpoint, name).save_pretrained(folder / name)
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(checkpoint.scheduler_config))
    parts = {
        "scheduler": ["diffusers", "PNDMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **parts}))
    return folder


def _tokenizer() -> CLIPTokenizer:
    """Byte-level BPE without merges: one token per byte, so it takes any text."""
    letters = sorted(ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *(letter + "</w>" for letter in letters), *_SPECIAL])}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _text_encoder() -> CLIPTextModel:
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=514,
            hidden_size=_TEXT_WIDTH,
            intermediate_size=32,
            projection_dim=_TEXT_WIDTH,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=77,
            bos_token_id=512,
            eos_token_id=513,
            pad_token_id=513,
        )
    )


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=64,
        in_channels=4,
        out_channels=4,
        block_out_channels=(4, 8, 8, 8),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=_TEXT_WIDTH,
        attention_head_dim=2,
        norm_num_groups=2,
    )


def _autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        sample_size=512,
        mid_block_add_attention=False,
    )


def chord(seconds: float = 5.0, sample_rate: int = 44_100, channels: int = 1) -> Tensor:
    """A wave [C, T] in ±1: a chord struck twice a second, each channel a fifth above the one before."""
    time = torch.arange(round(seconds * sample_rate), dtype=torch.float64) / sample_rate
    envelope = torch.exp(-4 * (time % 0.5)) * (1 - torch.exp(-200 * (time % 0.5)))
    voices = []
    for channel in range(channels):
        pitches = [220.0 * 1.5**channel * ratio * harmonic for ratio in (1, 1.25, 1.5) for harmonic in (1, 2, 3)]
        tones = torch.stack([torch.sin(2 * torch.pi * pitch * time) * (220 / pitch) for pitch in pitches]).sum(0)
        voices.append(tones / tones.abs().max().clamp_min(1e-9) * envelope * 0.8)
    return torch.stack(voices).float()
