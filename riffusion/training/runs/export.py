"""Exports a trained model as a folder in diffusers format, which every Stable Diffusion tool reads."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor2_0
from transformers import CLIPTextModel, CLIPTokenizer

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, VOCABULARY_FILE
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.evaluation.sampler import GUIDANCE
from riffusion.training.models.tokenizer import save_tokenizer


def assemble(
    unet: UNet2DConditionModel,
    vae: AutoencoderKL,
    encoder: CLIPTextModel | None,
    tokenizer: CLIPTokenizer,
    schedule: DDPMScheduler,
) -> StableDiffusionPipeline:
    """The parts as a pipeline, with DPM++ 2M on the noise schedule of their training.

    Args:
        encoder: None for a pipeline that is called with embeddings only.
    """
    unet.set_attn_processor(AttnProcessor2_0())
    scheduler = DPMSolverMultistepScheduler.from_config(schedule.config)
    pipeline = StableDiffusionPipeline(
        vae=vae,
        text_encoder=encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def save_model(pipeline: StableDiffusionPipeline, folder: Path, guidance: float) -> None:
    """Writes safetensors in the precision that the weights have, the configurations, and the default guidance."""
    pipeline.save_pretrained(folder, safe_serialization=True)
    save_tokenizer(pipeline.tokenizer, folder / "tokenizer")
    for path in folder.glob("*/config.json"):  # each has the path that its part was loaded from
        config = json.loads(path.read_text())
        config.pop("_name_or_path", None)
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (folder / DEFAULTS_FILE).write_text(json.dumps({"guidance": guidance}) + "\n")


def export(pipeline: StableDiffusionPipeline, folder: Path) -> None:
    """Writes the bundled model: in float16, with its guidance and the vocabulary of its captions."""
    pipeline.to(dtype=torch.float16)
    save_model(pipeline, folder, GUIDANCE)
    (folder / VOCABULARY_FILE).write_text(json.dumps(model_vocabulary(), indent=1, ensure_ascii=False) + "\n")
