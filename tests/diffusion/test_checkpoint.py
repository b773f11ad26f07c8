import json
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from diffusers import StableDiffusionPipeline

from riffusion.diffusion import checkpoint
from riffusion.diffusion.checkpoint import choose_device, choose_dtype, load_checkpoint
from riffusion.errors import CheckpointUnavailable
from riffusion.testing import save_tiny_checkpoint, tiny_checkpoint

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny", seed=3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return save_tiny_checkpoint(tmp_path / "tiny")


def test_a_saved_model_loads_with_the_same_weights(saved: Path) -> None:
    loaded, made = load_checkpoint(saved, None, CPU, torch.float32), tiny_checkpoint(seed=3)
    for name in ("text_encoder", "unet", "vae"):
        theirs = getattr(made, name).state_dict()
        assert all(torch.equal(weight, theirs[key]) for key, weight in getattr(loaded, name).state_dict().items())
    assert loaded.tokenizer("Hé 9").input_ids == made.tokenizer("Hé 9").input_ids
    assert loaded.scheduler_config["prediction_type"] == "v_prediction"
    assert loaded.scale == 8


def test_diffusers_opens_it_too(saved: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(saved, local_files_only=True)
    assert pipeline.unet.config.in_channels == 4


def test_half_precision_files_are_found(folder: Path) -> None:
    for name in ("text_encoder", "unet", "vae"):
        (weights,) = (folder / name).glob("*.safetensors")
        weights.rename(weights.with_suffix(".fp16.safetensors"))
    assert load_checkpoint(folder, None, CPU, torch.float32).unet.config.in_channels == 4


def test_pickles_are_never_opened(folder: Path) -> None:
    (weights,) = (folder / "unet").glob("*.safetensors")
    weights.unlink()
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(CheckpointUnavailable, match="safetensors in unet"):
        load_checkpoint(folder, None, CPU, torch.float32)


def test_a_truncated_file_names_the_model(folder: Path) -> None:
    (weights,) = (folder / "vae").glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(CheckpointUnavailable, match=str(folder)):
        load_checkpoint(folder, None, CPU, torch.float32)


def test_nine_channels_are_refused(folder: Path) -> None:
    config = folder / "unet" / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"in_channels": 9}))
    with pytest.raises(CheckpointUnavailable):
        load_checkpoint(folder, None, CPU, torch.float32)


def test_the_family_of_a_hub_model_is_checked_before_its_weights_are_downloaded(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    downloads: list[list[str]] = []

    def download(_source: str, revision: str, allow_patterns: list[str], **_: object) -> str:
        downloads.append(allow_patterns)
        return str(tmp_path)

    monkeypatch.setattr(checkpoint, "snapshot_download", download)
    with pytest.raises(CheckpointUnavailable, match="some/model is FLUX"):
        load_checkpoint("some/model", "0123abc", CPU, torch.float32)
    assert downloads == [["model_index.json"]]


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointUnavailable, match="not in diffusers format"):
        load_checkpoint(tmp_path, None, CPU, torch.float32)


@pytest.mark.parametrize(
    ("source", "revision", "message"),
    [
        ("no/such-model", None, "RIFFUSION_CHECKPOINT_REVISION"),
        ("no/such-model", "0123abc", "no/such-model"),
        ("/no/such/folder", None, "/no/such/folder"),
    ],
)
def test_a_model_that_is_not_found_is_named(
    monkeypatch: pytest.MonkeyPatch, source: str, revision: str | None, message: str
) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointUnavailable, match=message):
        load_checkpoint(source, revision, CPU, torch.float32)


def test_a_missing_device_is_refused() -> None:
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(CheckpointUnavailable, match="cuda:99"):
        choose_device("cuda:99")


@pytest.mark.parametrize(
    ("device", "capabilities", "dtype"),
    [
        ("cpu", {"avx512_bf16": True, "amx_bf16": False}, torch.bfloat16),
        ("cpu", {"avx512_bf16": False, "amx_bf16": True}, torch.bfloat16),
        ("cpu", {"avx512_bf16": False}, torch.float32),
        ("cpu", {}, torch.float32),  # of other architectures
        ("mps", {"avx512_bf16": True}, torch.float32),
        ("cuda", {}, torch.float16),
    ],
)
def test_the_precision_is_the_devices(
    monkeypatch: pytest.MonkeyPatch, device: str, capabilities: dict[str, bool], dtype: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert choose_dtype(torch.device(device)) == dtype


def test_in_bfloat16_only_the_unet_has_it(saved: Path) -> None:
    loaded = load_checkpoint(saved, None, CPU, torch.bfloat16)
    parts = (loaded.unet, loaded.vae, loaded.text_encoder)
    assert [part.dtype for part in parts] == [torch.bfloat16, torch.float32, torch.float32]
    half = load_checkpoint(saved, None, CPU, torch.float16)
    assert {half.unet.dtype, half.vae.dtype, half.text_encoder.dtype} == {torch.float16}
