"""LoRA files as other programs write them, compared with diffusers' own result or with the sum that they stand for."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file

from riffusion.diffusion import lora_folder as module
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.lora import LoraMerger, LoraSet
from riffusion.diffusion.lora_folder import WEIGHTS_FILE, LoraFolder
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.errors import CheckpointUnavailable, UnknownReference
from riffusion.testing import save_tiny_checkpoint, tiny_checkpoint
from tests.diffusion.lora_files import ATTENTION, Layout, save_distilled_lora, save_lora

INPUTS = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
STATES = torch.randn(1, 77, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def lora_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LoRAs of several kinds."""
    root = tmp_path_factory.mktemp("loras")
    save_lora(root / "one", 1, ATTENTION)
    save_lora(root / "words", 2, ATTENTION, text_encoder=True)
    save_lora(root / "convolutions", 3, ["conv1", "proj_in"])
    (root / "words" / WEIGHTS_FILE).rename(root / "words.safetensors")
    return root


@pytest.fixture
def loras(checkpoint: Checkpoint, lora_root: Path) -> LoraFolder:
    return LoraFolder(checkpoint, lora_root)


@pytest.fixture(scope="module")
def theirs(lora_root: Path, tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    """The same model in diffusers, all LoRAs loaded."""
    pipeline = StableDiffusionPipeline.from_pretrained(save_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))
    for name in ("one", "convolutions"):
        pipeline.load_lora_weights(lora_root / name, adapter_name=name)
    pipeline.load_lora_weights(lora_root, weight_name="words.safetensors", adapter_name="words")
    return pipeline


def test_names_are_files_and_folders_that_requests_can_name(loras: LoraFolder, lora_root: Path) -> None:
    (lora_root / "Not A Name.safetensors").touch()  # nor in lower case
    assert loras.names() == ("convolutions", "one", "words")


def test_files_that_no_request_can_name_are_logged_once(
    checkpoint: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder, files in {
        "model": ("fast.safetensors",),
        "theirs": (
            "Fast.safetensors",
            "two words.safetensors",
            "dub.safetensors",
            f"dub/{WEIGHTS_FILE}",
            "choir.safetensors",
        ),
    }.items():
        for file in files:
            (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / file).touch()
    caplog.set_level("WARNING", "riffusion")  # the command line's programs raise it
    loras = LoraFolder(replace(checkpoint, lora_dir=tmp_path / "model"), tmp_path / "theirs")
    for _ in range(2):
        assert loras.names() == ("choir", "dub")
    logged = {Path(vars(record)["file"]).name: vars(record)["reason"] for record in caplog.records}
    assert len(caplog.records) == len(logged) == 3
    assert logged["Fast.safetensors"].startswith(str(tmp_path / "model" / "fast.safetensors"))
    assert logged["dub.safetensors"].startswith(str(tmp_path / "theirs" / "dub" / WEIGHTS_FILE))
    assert logged["two words.safetensors"].startswith("names have")


@pytest.mark.parametrize("weights", [{"one": 1.0}, {"one": -0.5}, {"convolutions": 2.0}, {"one": 0.7, "words": 0.4}])
@torch.no_grad()
def test_the_unet_is_as_with_diffusers(
    loras: LoraFolder, theirs: StableDiffusionPipeline, weights: dict[str, float]
) -> None:
    unet = tiny_checkpoint().unet
    base = unet(*INPUTS, STATES).sample
    merger = LoraMerger(unet, "unet")
    merger.apply(loras.get(weights))
    theirs.set_adapters(list(weights), list(weights.values()))
    applied = unet(*INPUTS, STATES).sample
    assert not torch.allclose(applied, base, atol=1e-2)
    assert torch.allclose(applied, theirs.unet(*INPUTS, STATES).sample, atol=1e-4)
    merger.apply(loras.get({"convolutions": 1.0}))
    merger.apply(None)
    assert torch.equal(unet(*INPUTS, STATES).sample, base)


@torch.no_grad()
def test_embeddings_are_as_with_diffusers_and_cached_apart(
    checkpoint: Checkpoint, loras: LoraFolder, theirs: StableDiffusionPipeline
) -> None:
    prompts = PromptEncoder(checkpoint)
    (base,) = prompts.encode("funk")
    (applied,) = prompts.encode("funk", lora=loras.get({"words": 0.8}))
    theirs.set_adapters(["words"], [0.8])
    ids = theirs.tokenizer("funk", padding="max_length", return_tensors="pt").input_ids
    assert torch.allclose(applied, theirs.text_encoder(ids)[0][0], atol=1e-5)
    assert not torch.allclose(applied, base, atol=1e-2)
    assert torch.equal(prompts.encode("funk", lora=loras.get({"one": 1.0}))[0], base)
    assert torch.equal(prompts.encode("bass")[0], PromptEncoder(checkpoint).encode("bass")[0])


def test_sets_are_equal_by_files_and_weights(checkpoint: Checkpoint, loras: LoraFolder, lora_root: Path) -> None:
    made = loras.get({"one": 0.5})
    assert made == LoraFolder(checkpoint, lora_root).get({"one": 0.5})
    assert made != loras.get({"one": 0.6})
    assert made != loras.get({"convolutions": 0.5})
    assert loras.get({}) is None
    os.utime(lora_root / "one" / WEIGHTS_FILE)
    assert made != loras.get({"one": 0.5})


def test_an_unknown_name_is_refused_with_the_known_ones(
    checkpoint: Checkpoint, loras: LoraFolder, tmp_path: Path
) -> None:
    with pytest.raises(UnknownReference, match="convolutions, one, words") as caught:
        loras.get({"two": 1.0})
    assert caught.value.field == "lora.two"
    with pytest.raises(UnknownReference, match="has none"):
        LoraFolder(checkpoint, None).get({"one": 1.0})
    with pytest.raises(CheckpointUnavailable, match="RIFFUSION_LORA_DIR"):
        LoraFolder(checkpoint, tmp_path / "missing")


def test_a_file_that_does_not_fit_is_refused_whole(checkpoint: Checkpoint, lora_root: Path, tmp_path: Path) -> None:
    good = load_file(lora_root / "one" / WEIGHTS_FILE)
    name = next(name for name in good if "down_blocks.3" in name and "down.weight" in name)
    save_file(good | {name: torch.zeros(2, 99)}, tmp_path / "shape.safetensors")
    elsewhere = {each.replace("down_blocks.3", "down_blocks.1"): weight.clone() for each, weight in good.items()}
    save_file(good | elsewhere, tmp_path / "layers.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"x" * 100)
    for broken in ("shape", "layers", "damaged"):
        with pytest.raises(CheckpointUnavailable, match=f"LoRA {broken} can't be used"):
            LoraFolder(checkpoint, tmp_path).get({broken: 1.0})


def sd15_layers() -> UNet2DConditionModel:
    """A UNet with every layer of Stable Diffusion 1.5, by the same names, but narrow."""
    return UNet2DConditionModel(
        block_out_channels=(4, 8, 16, 16), cross_attention_dim=16, attention_head_dim=2, norm_num_groups=2
    )


@pytest.mark.parametrize(
    ("file", "layout", "dtype"),
    [
        ("lcm-lora-sdv1-5/pytorch_lora_weights", "kohya", torch.float16),
        ("Hyper-SD15-1step-lora", "kohya", torch.float32),
        ("Hyper-SD15-8steps-lora", "diffusers", torch.float32),
        ("lcm-lora-sdv1-5/pytorch_lora_weights", "peft", torch.float16),
    ],
)
def test_adapters_to_few_steps_work_by_the_names_they_were_published_under(
    checkpoint: Checkpoint, tmp_path: Path, file: str, layout: Layout, dtype: torch.dtype
) -> None:
    name, unet = file.partition("/")[0].lower(), sd15_layers()
    path = tmp_path / f"{file}.safetensors"
    path.parent.mkdir(exist_ok=True)
    added = save_distilled_lora(path, unet, layout, dtype)
    assert len(added) == 278  # layers of Stable Diffusion 1.5 that distillation adapts
    loras = LoraFolder(replace(checkpoint, unet=unet), tmp_path)
    assert loras.names() == (name,)
    base = {key: weight.clone() for key, weight in unet.named_parameters()}
    LoraMerger(unet, "unet").apply(loras.get({name: 0.5}))
    for key, weight in unet.named_parameters():
        assert torch.allclose(weight, base[key] + 0.5 * added.get(key, torch.zeros(())), atol=1e-5), key


def test_the_most_recently_used_files_stay_in_memory(
    checkpoint: Checkpoint, lora_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_FILES", 2)
    loras = LoraFolder(checkpoint, lora_root)
    for name in ("one", "words", "one", "convolutions"):
        assert isinstance(loras.get({name: 1.0}), LoraSet)
    assert [name for name, _ in loras._files] == ["one", "convolutions"]
