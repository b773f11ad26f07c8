"""The files of a LoRA give the trained model's output in diffusers and in this project's own merger."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint, load_checkpoint
from riffusion.diffusion.lora_folder import WEIGHTS_FILE, LoraFolder
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.testing import save_tiny_checkpoint
from riffusion.training.finetuning.lora_files import KOHYA_FILE, save_lora
from riffusion.training.finetuning.options import TrainingOptions
from riffusion.training.finetuning.trained_parts import (
    ATTENTION,
    ATTENTION_OF_UNET,
    EVERYTHING,
    trained_parts,
    trained_weights,
)

BUNDLED = Path(__file__).parents[3] / "riffusion" / "models" / "tiny"
PROMPT = "funk bass"


@pytest.fixture(scope="module", params=["tiny", "bundled"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return BUNDLED if request.param == "bundled" else save_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")


def loaded(model: Path) -> Checkpoint:
    return load_checkpoint(model, None, torch.device("cpu"), torch.float32)


@torch.no_grad()
def noise_pred(unet: Callable[..., tuple[Tensor]], prompt_embeds: Tensor) -> Tensor:
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    return unet(latents, torch.tensor([500]), prompt_embeds[None], return_dict=False)[0]


@pytest.fixture(scope="module", params=[ATTENTION_OF_UNET, ATTENTION, EVERYTHING])
def saved(request: pytest.FixtureRequest, model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tensor]:
    """A folder with the LoRA in `lora`, and what the model with it predicts."""
    folder, checkpoint = tmp_path_factory.mktemp("saved"), loaded(model)
    options = TrainingOptions(checkpoint=str(model), data=folder, output=folder, rank=3)
    parts = trained_parts(checkpoint, options, request.param)
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in trained_weights(parts):
            weight.copy_(torch.randn(weight.shape, generator=random) * 0.3)
    save_lora(parts, folder / "lora")
    return folder, noise_pred(checkpoint.unet, PromptEncoder(checkpoint).encode(PROMPT)[0])


@pytest.mark.parametrize("file", [WEIGHTS_FILE, KOHYA_FILE, None])
@torch.no_grad()
def test_diffusers_gives_the_same(model: Path, saved: tuple[Path, Tensor], file: str | None) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    ids = pipeline.tokenizer(PROMPT, padding="max_length", return_tensors="pt").input_ids
    base = noise_pred(pipeline.unet, pipeline.text_encoder(ids)[0][0])
    pipeline.load_lora_weights(saved[0] / "lora", **({"weight_name": file} if file else {}))
    found = noise_pred(pipeline.unet, pipeline.text_encoder(ids)[0][0])
    assert torch.allclose(found, saved[1], atol=1e-4)
    assert not torch.allclose(found, base, atol=1e-2)


@pytest.mark.parametrize("kohya", [False, True])
def test_a_worker_gives_the_same(model: Path, saved: tuple[Path, Tensor], kohya: bool, tmp_path: Path) -> None:
    if kohya:
        (tmp_path / "lora.safetensors").symlink_to(saved[0] / "lora" / KOHYA_FILE)
    checkpoint = loaded(model)
    lora = LoraFolder(checkpoint, tmp_path if kohya else saved[0]).get({"lora": 1.0})
    (prompt_embeds,) = PromptEncoder(checkpoint).encode(PROMPT, lora=lora)
    checkpoint.lora_mergers["unet"].apply(lora)
    assert torch.allclose(noise_pred(checkpoint.unet, prompt_embeds), saved[1], atol=1e-4)


def test_kohyas_names(saved: tuple[Path, Tensor]) -> None:
    weights = load_file(saved[0] / "lora" / KOHYA_FILE)
    block = r"(down_blocks_\d|mid_block|up_blocks_\d)"
    transformer = r"attentions_\d_(proj_(in|out)|transformer_blocks_0_(attn[12]_to_(q|k|v|out_0)|ff_net_(0_proj|2)))"
    convolution = r"resnets_\d_(conv1|conv2|conv_shortcut|time_emb_proj)|(down|up)samplers_0_conv"
    unet = rf"lora_unet_{block}_({transformer}|{convolution})"
    text = r"lora_te_text_model_encoder_layers_\d_self_attn_(q|k|v|out)_proj"
    form = re.compile(rf"({unet}|{text})\.(lora_down\.weight|lora_up\.weight|alpha)")
    assert all(form.fullmatch(name) for name in weights)
    assert all(weight == 3 for name, weight in weights.items() if name.endswith(".alpha"))
