"""A Stable Diffusion 1.x or 2.x in diffusers format, loaded from a folder or from the hub. No pickle is ever opened."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypedDict, Unpack

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from pydantic import TypeAdapter
from safetensors import SafetensorError

from riffusion.diffusion.libraries import (
    AutoencoderKL,
    AutoencoderTiny,
    CLIPTextModel,
    CLIPTokenizer,
    UNet2DConditionModel,
    disable_progress_bar,
)
from riffusion.diffusion.lora import LoraMerger, Part
from riffusion.diffusion.supported import INDEX_FILE, check_family, check_inputs
from riffusion.errors import CheckpointUnavailable
from riffusion.requests import PRESETS, Presets

DEFAULT_GUIDANCE = 7.0  # the original's
DEFAULTS_FILE, VOCABULARY_FILE = "defaults.json", "vocabulary.json"  # beside model_index.json; both may be missing
LORA_FOLDER = "lora"  # beside it, too: the LoRAs that its qualities name
SMALL_DECODER = "vae_tiny"  # the subfolder of an `AutoencoderTiny`, in TAESD's layout; may be missing
WEIGHTS = ("text_encoder", "unet", "vae")  # the subfolders that hold weights


Vocabulary = Mapping[str, Any]  # of `riffusion.generate.vocabulary`


class Defaults(TypedDict, total=False):
    """The fields of a `Checkpoint` that may be left out."""

    guidance: float
    vocabulary: Vocabulary | None
    qualities: Presets
    lora_dir: Path | None
    small_vae: AutoencoderTiny | None


@dataclass(frozen=True)
class Checkpoint:
    """The parts of one model, on one device."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    unet: UNet2DConditionModel
    vae: AutoencoderKL
    scheduler_config: dict[str, Any]
    device: torch.device
    dtype: torch.dtype
    """Of the UNet."""
    guidance: float = DEFAULT_GUIDANCE
    """Classifier-free guidance scale of requests without one."""
    vocabulary: Vocabulary | None = None
    """The words that its text encoder was taught; None where that list doesn't exist, as for large models."""
    qualities: Presets = field(default_factory=PRESETS.copy)
    """What each quality stands for."""
    lora_dir: Path | None = None
    """The folder of the LoRAs that come with it, for its qualities; None where it has none."""
    small_vae: AutoencoderTiny | None = None
    """Decodes the same latents at a fraction of the cost, less exactly; its encoder isn't used."""

    @property
    def scale(self) -> int:
        """Pixels per latent along each side; 8 for every Stable Diffusion."""
        return int(2 ** (len(self.vae.config.block_out_channels) - 1))

    @cached_property
    def lora_mergers(self) -> dict[Part, LoraMerger]:
        """One for each part of the model, shared by everything that uses the part: it tracks the applied set."""
        return {"unet": LoraMerger(self.unet, "unet"), "text_encoder": LoraMerger(self.text_encoder, "text_encoder")}


def choose_device(name: str) -> torch.device:
    """The device that a setting names; `auto` is CUDA, else Apple's MPS, else the CPU.

    Raises:
        CheckpointUnavailable: the device doesn't exist.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise CheckpointUnavailable(f"Device {name!r} can't be used: {str(error).splitlines()[0]}") from None
    return device


def choose_dtype(device: torch.device) -> torch.dtype:
    """The precision of the UNet: half on CUDA, where Stable Diffusion was trained in it; bfloat16 on CPUs with
    instructions for it, where a call takes 0.6 to 0.75 of the time; float32 elsewhere.
    """
    if device.type == "cuda":
        return torch.float16
    has = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return torch.bfloat16 if has.get("avx512_bf16") or has.get("amx_bf16") else torch.float32


def load_checkpoint(source: str | Path, revision: str | None, device: torch.device, dtype: torch.dtype) -> Checkpoint:
    """Loads a folder in diffusers format, or a hub id at a commit.

    Args:
        dtype: of the UNet; the other parts have it, too, unless it is bfloat16, whose 8 bits don't do for latents and
            embeddings: those are in float32, and `Autoencoder` has its decoder in bfloat16.

    Raises:
        CheckpointUnavailable: with the folder or id, and what is wrong with it.
    """
    folder = Path(source) if Path(source).is_dir() else _download(str(source), revision)
    check_family(folder, source)
    variant = _file_variant(folder, source)
    precise = torch.float32 if dtype == torch.bfloat16 else dtype
    options: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "variant": variant}
    try:
        disable_progress_bar()  # type: ignore[no-untyped-call]  # the command line has its own
        tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
        text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=precise, **options)
        unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=dtype, **options)
        vae = AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=precise, **options)
        small_vae = None
        if (folder / SMALL_DECODER).is_dir():
            small_vae = AutoencoderTiny.from_pretrained(
                folder / SMALL_DECODER, torch_dtype=dtype, local_files_only=True, use_safetensors=True
            )
        scheduler_config = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        defaults = _read_json(folder / DEFAULTS_FILE) or {}
        guidance = float(defaults.get("guidance", DEFAULT_GUIDANCE))
        qualities = _read_qualities(defaults)
        vocabulary = read_vocabulary(folder)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointUnavailable(f"The model {source} can't be loaded: {reason}") from error
    check_inputs(unet.config, source)
    return place(
        tokenizer=tokenizer,
        text_encoder=text_encoder,
        unet=unet,
        vae=vae,
        scheduler_config=scheduler_config,
        device=device,
        dtype=dtype,
        guidance=guidance,
        vocabulary=vocabulary,
        qualities=qualities,
        lora_dir=folder / LORA_FOLDER if (folder / LORA_FOLDER).is_dir() else None,
        small_vae=small_vae,
    )


def read_vocabulary(folder: Path) -> Vocabulary | None:
    """The words that the text encoder of a model folder was taught; None where it doesn't list them."""
    vocabulary: Vocabulary | None = _read_json(folder / VOCABULARY_FILE)
    return vocabulary


def _read_qualities(defaults: Mapping[str, Any]) -> Presets:
    """What the qualities stand for, by name, in a model folder's defaults; those left out are everyone's.

    Raises:
        ValueError: a quality or field that doesn't exist, or a value out of range.
    """
    own: Presets = TypeAdapter(Presets).validate_python(defaults.get("qualities", {}))
    return PRESETS | own


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text()) if path.exists() else None


def place(
    *,
    tokenizer: CLIPTokenizer,
    text_encoder: CLIPTextModel,
    unet: UNet2DConditionModel,
    vae: AutoencoderKL,
    scheduler_config: dict[str, Any],
    device: torch.device,
    dtype: torch.dtype,
    **defaults: Unpack[Defaults],
) -> Checkpoint:
    """The parts, the UNet already in `dtype`, frozen and in inference mode, as a checkpoint on its device."""
    small_vae = defaults.get("small_vae")
    for module in (text_encoder, unet, vae, *([small_vae] if small_vae else [])):
        module.eval().requires_grad_(False).to(device)
    device = next(unet.parameters()).device  # with its index: "cuda" would mean whichever device is current
    return Checkpoint(tokenizer, text_encoder, unet, vae, scheduler_config, device, dtype, **defaults)


def _download(source: str, revision: str | None) -> Path:
    """The hub's files in its local cache; without a network, only what is already there."""
    if revision is None and source.count("/") == 1:
        raise CheckpointUnavailable(
            f"There is no folder {source}. If it is a hub id, set RIFFUSION_CHECKPOINT_REVISION to the commit to use."
        )
    try:
        # The index first: a model that doesn't work here is refused before gigabytes are downloaded.
        check_family(Path(snapshot_download(source, revision=revision, allow_patterns=[INDEX_FILE])), source)
        return Path(
            snapshot_download(
                source,
                revision=revision,
                allow_patterns=["*.json", "*/*.json", "tokenizer/*.txt", "*/*.safetensors"],
                ignore_patterns=["safety_checker/*"],
            )
        )
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError, ValueError) as error:
        raise CheckpointUnavailable(
            f"The model {source} is not a local folder, and its download from the hub at revision {revision} failed: "
            f"{str(error).splitlines()[0]}"
        ) from error


def _file_variant(folder: Path, source: str | Path) -> str | None:
    """The file variant, `fp16` or None, that every part has as safetensors.

    Raises:
        CheckpointUnavailable: the folder isn't in diffusers format, or a part has no safetensors.
    """
    missing = [name for name in ("tokenizer", "scheduler", *WEIGHTS) if not (folder / name).is_dir()]
    if missing:
        raise CheckpointUnavailable(
            f"The model {source} is not in diffusers format: it has no folder {', '.join(missing)}."
        )
    without = [name for name in WEIGHTS if not any((folder / name).glob("*.safetensors"))]
    if without:
        raise CheckpointUnavailable(
            f"The model {source} has no .safetensors in {', '.join(without)}; pickled weights are not opened, since "
            "they can run code. Convert it once with diffusers' `save_pretrained(..., safe_serialization=True)`."
        )
    plain = all(any(p.name.count(".") == 1 for p in (folder / name).glob("*.safetensors")) for name in WEIGHTS)
    return None if plain else "fp16"
