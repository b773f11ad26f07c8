"""The bundled model: opens in plain diffusers, is small, and follows its prompt."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny, StableDiffusionPipeline

import riffusion
from riffusion.diffusion.checkpoint import SMALL_DECODER
from riffusion.seeds import open_seed
from riffusion.spectrogram.canvas import Canvas
from riffusion.training.data.clip_pictures import to_pictures
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.models.text_encoder import encode_prompt, token_ids
from riffusion.training.models.unet import LATENT_SHAPE
from riffusion.training.models.vae import decode, encode

_MODEL = Path(riffusion.__file__).parent / "models" / "tiny"


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(_MODEL, torch_dtype=torch.float32)


def test_has_the_classes_of_stable_diffusion(pipeline: StableDiffusionPipeline) -> None:
    names = [type(part).__name__ for part in (pipeline.vae, pipeline.text_encoder, pipeline.unet, pipeline.tokenizer)]
    assert names == ["AutoencoderKL", "CLIPTextModel", "UNet2DConditionModel", "CLIPTokenizer"]
    assert pipeline.scheduler.config.prediction_type == "v_prediction"
    assert pipeline.vae.config.scaling_factor == 0.18215


def test_fits_in_forty_mebibytes() -> None:
    assert sum(path.stat().st_size for path in _MODEL.rglob("*") if path.is_file()) < 40 * 2**20


def test_has_a_small_decoder_of_the_same_latents(pipeline: StableDiffusionPipeline) -> None:
    """A seed image through both decoders: the small one is about as near to it as the VAE's own."""
    folder = _MODEL / SMALL_DECODER
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2**20
    small = AutoencoderTiny.from_pretrained(folder, torch_dtype=torch.float32)
    picture = Canvas.open(open_seed("band")).grey[None, :, :512]
    latents = encode(pipeline.vae, picture)
    with torch.no_grad():
        decoded = [decode(pipeline.vae, latents), to_pictures(small.decode(latents).sample)]
    errors = [float(np.square(each.astype(float) - picture).mean() ** 0.5) for each in decoded]
    assert errors[1] < 2 * errors[0]


def test_lists_its_words() -> None:
    assert json.loads((_MODEL / "vocabulary.json").read_text()) == model_vocabulary()


@torch.no_grad()
def test_prompts_change_the_prediction(pipeline: StableDiffusionPipeline) -> None:
    prompt_embeds = encode_prompt(
        pipeline.text_encoder, token_ids(pipeline.tokenizer, ["", "funk drums", "church bells"])
    )
    latents = torch.randn(1, *LATENT_SHAPE, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1, -1)
    without_prompt, *with_prompt = pipeline.unet(latents, torch.tensor(980), prompt_embeds, return_dict=False)[0]
    assert all(float((each - without_prompt).norm() / without_prompt.norm()) > 0.05 for each in with_prompt)
