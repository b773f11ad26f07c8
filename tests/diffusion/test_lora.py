"""LoRA files as diffusers writes them, against what diffusers makes of them."""

import os
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from riffusion.diffusion import lora_folder as module
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.lora import LoraSet, Wardrobe
from riffusion.diffusion.lora_folder import WEIGHTS_FILE, LoraFolder
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.errors import CheckpointUnavailable, UnknownReference
from riffusion.testing import save_tiny_checkpoint, tiny_checkpoint
from tests.diffusion.lora_files import ATTENTION, save_lora

INPUTS = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
STATES = torch.randn(1, 77, 16, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with LoRAs of several kinds."""
    root = tmp_path_factory.mktemp("loras")
    save_lora(root / "one", 1, ATTENTION)
    save_lora(root / "words", 2, ATTENTION, words=True)
    save_lora(root / "convolutions", 3, ["conv1", "proj_in"])
    (root / "words" / WEIGHTS_FILE).rename(root / "words.safetensors")
    return root


@pytest.fixture
def loras(checkpoint: Checkpoint, shelf: Path) -> LoraFolder:
    return LoraFolder(checkpoint, shelf)


@pytest.fixture(scope="module")
def theirs(shelf: Path, tmp_path_factory: pytest.TempPathFactory) -> StableDiffusionPipeline:
    """The same model in diffusers, all LoRAs loaded."""
    pipeline = StableDiffusionPipeline.from_pretrained(save_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))
    for name in ("one", "convolutions"):
        pipeline.load_lora_weights(shelf / name, adapter_name=name)
    pipeline.load_lora_weights(shelf, weight_name="words.safetensors", adapter_name="words")
    return pipeline


def test_names_are_files_and_folders_that_requests_can_name(loras: LoraFolder, shelf: Path) -> None:
    (shelf / "Not A Name.safetensors").touch()
    assert loras.names() == ("convolutions", "one", "words")


@pytest.mark.parametrize("weights", [{"one": 1.0}, {"one": -0.5}, {"convolutions": 2.0}, {"one": 0.7, "words": 0.4}])
@torch.no_grad()
def test_the_unet_is_as_with_diffusers(
    loras: LoraFolder, theirs: StableDiffusionPipeline, weights: dict[str, float]
) -> None:
    unet = tiny_checkpoint().unet
    bare = unet(*INPUTS, STATES).sample
    wardrobe = Wardrobe(unet, "unet")
    wardrobe.wear(loras.get(weights))
    theirs.set_adapters(list(weights), list(weights.values()))
    worn = unet(*INPUTS, STATES).sample
    assert not torch.allclose(worn, bare, atol=1e-2)
    assert torch.allclose(worn, theirs.unet(*INPUTS, STATES).sample, atol=1e-4)
    wardrobe.wear(loras.get({"convolutions": 1.0}))
    wardrobe.wear(None)
    assert torch.equal(unet(*INPUTS, STATES).sample, bare)


@torch.no_grad()
def test_embeddings_are_as_with_diffusers_and_cached_apart(
    checkpoint: Checkpoint, loras: LoraFolder, theirs: StableDiffusionPipeline
) -> None:
    prompts = PromptEncoder(checkpoint)
    (bare,) = prompts.encode("funk")
    (worn,) = prompts.encode("funk", lora=loras.get({"words": 0.8}))
    theirs.set_adapters(["words"], [0.8])
    ids = theirs.tokenizer("funk", padding="max_length", return_tensors="pt").input_ids
    assert torch.allclose(worn, theirs.text_encoder(ids)[0][0], atol=1e-5)
    assert not torch.allclose(worn, bare, atol=1e-2)
    assert torch.equal(prompts.encode("funk", lora=loras.get({"one": 1.0}))[0], bare)
    assert torch.equal(prompts.encode("bass")[0], PromptEncoder(checkpoint).encode("bass")[0])


def test_sets_are_equal_by_files_and_weights(checkpoint: Checkpoint, loras: LoraFolder, shelf: Path) -> None:
    made = loras.get({"one": 0.5})
    assert made == LoraFolder(checkpoint, shelf).get({"one": 0.5})
    assert made != loras.get({"one": 0.6})
    assert made != loras.get({"convolutions": 0.5})
    assert loras.get({}) is None
    os.utime(shelf / "one" / WEIGHTS_FILE)
    assert made != loras.get({"one": 0.5})


def test_what_is_not_there_is_refused_with_what_is(checkpoint: Checkpoint, loras: LoraFolder, tmp_path: Path) -> None:
    with pytest.raises(UnknownReference, match="convolutions, one, words") as caught:
        loras.get({"two": 1.0})
    assert caught.value.field == "lora.two"
    with pytest.raises(UnknownReference, match="has none"):
        LoraFolder(checkpoint, None).get({"one": 1.0})
    with pytest.raises(CheckpointUnavailable, match="RIFFUSION_LORA_DIR"):
        LoraFolder(checkpoint, tmp_path / "missing")


def test_what_does_not_fit_is_refused_whole(checkpoint: Checkpoint, shelf: Path, tmp_path: Path) -> None:
    good = load_file(shelf / "one" / WEIGHTS_FILE)
    name = next(name for name in good if "down_blocks.3" in name and "down.weight" in name)
    save_file(good | {name: torch.zeros(2, 99)}, tmp_path / "shape.safetensors")
    elsewhere = {each.replace("down_blocks.3", "down_blocks.1"): weight.clone() for each, weight in good.items()}
    save_file(good | elsewhere, tmp_path / "layers.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"x" * 100)
    for broken in ("shape", "layers", "damaged"):
        with pytest.raises(CheckpointUnavailable, match=f"LoRA {broken} can't be used"):
            LoraFolder(checkpoint, tmp_path).get({broken: 1.0})


def test_only_so_many_files_stay_in_memory(
    checkpoint: Checkpoint, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_FILES", 2)
    loras = LoraFolder(checkpoint, shelf)
    for name in ("one", "words", "one", "convolutions"):
        assert isinstance(loras.get({name: 1.0}), LoraSet)
    assert [name for name, _ in loras._files] == ["one", "convolutions"]
