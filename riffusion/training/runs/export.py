"""Exports a trained model as a folder in diffusers format, which every Stable Diffusion tool reads."""

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor2_0
from transformers import CLIPTextModel, CLIPTokenizer

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, SMALL_DECODER, VOCABULARY_FILE
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


def save_small_decoder(small_decoder: AutoencoderTiny, folder: Path) -> None:
    """Writes it in float16, as TAESD is published: without a field of the configuration that diffusers warns of."""
    small_decoder.half().save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    del config["block_out_channels"]
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def export(pipeline: StableDiffusionPipeline, small_decoder: AutoencoderTiny, folder: Path) -> None:
    """Writes the bundled model: in float16, with a small decoder, its guidance and the vocabulary of its captions."""
    pipeline.to(dtype=torch.float16)
    save_small_decoder(small_decoder, folder / SMALL_DECODER)
    save_model(pipeline, folder, GUIDANCE)
    (folder / VOCABULARY_FILE).write_text(json.dumps(model_vocabulary(), indent=1, ensure_ascii=False) + "\n")
