"""The folder of LoRA files that requests may name, in any layout that diffusers reads."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, LORA_FOLDER, Checkpoint
from riffusion.diffusion.libraries import CLIPTextModel, UNet2DConditionModel
from riffusion.diffusion.lora import Changes, Factors, LoraSet, Part, combine
from riffusion.errors import CheckpointUnavailable
from riffusion.requests import ModelCard, is_name, unknown_lora

log = logging.getLogger(__name__)

KEPT_FILES = 8  # in memory: the most recently used
WEIGHTS_FILE = "pytorch_lora_weights.safetensors"  # in a folder of its own, as diffusers and a fine-tuning write it
_ADAPTER = "lora"


class LoraFolder:
    """The LoRAs that requests may name: NAME.safetensors, or NAME/pytorch_lora_weights.safetensors. Thread-safe.

    The folder is read each time: a file put there can be named at once. Names are in lower case, so that a file such as
    Hyper-SD15-1step-lora.safetensors keeps the name that it was published under. The checkpoint's own LoRAs, which its
    qualities name, are in a folder of the model and come before others of the same name. A file that no request can
    name is logged, once.
    """

    def __init__(self, checkpoint: Checkpoint, folder: Path | None) -> None:
        """
        Args:
            folder: none where there are no LoRAs.

        Raises:
            CheckpointUnavailable: the folder doesn't exist, or a LoRA that a quality of the checkpoint names.
        """
        if folder is not None and not folder.is_dir():
            raise CheckpointUnavailable(f"There is no folder {folder}, which RIFFUSION_LORA_DIR names.")
        self._checkpoint = checkpoint
        self._folder = folder
        self._files: OrderedDict[tuple[str, int], Changes] = OrderedDict()
        self._lock = threading.Lock()
        self._logged: set[Path] = set()
        named = {name for preset in checkpoint.qualities.values() for name in preset.lora or ()}
        if missing := sorted(named - self._paths().keys()):
            raise CheckpointUnavailable(
                f"The model's {DEFAULTS_FILE} names {', '.join(missing)}: put that LoRA into its folder {LORA_FOLDER}."
            )

    def names(self) -> tuple[str, ...]:
        """The names that requests may use now, sorted; without the checkpoint's own, which qualities fill in."""
        paths, own = self._paths(), _paths(self._checkpoint.lora_dir)
        for name, path in _named(self._folder):
            if paths.get(name) != path and path not in self._logged:
                self._logged.add(path)
                log.warning("LoRA unreachable: rename it", extra={"file": str(path), "reason": _hidden_by(name, paths)})
        return tuple(sorted(paths.keys() - own.keys()))

    def get(self, weights: Mapping[str, float] | None) -> LoraSet | None:
        """The set of these LoRAs at their weights; None for no LoRAs.

        Raises:
            UnknownReference: one of them isn't in the folder.
            CheckpointUnavailable: one is for another model, of an unsupported kind, or damaged.
        """
        if not weights:
            return None
        paths = self._paths()
        with self._lock:
            loaded = []
            for name, weight in weights.items():
                if name not in paths:
                    raise unknown_lora(name, ModelCard(loras=self.names()))
                stamp = paths[name].stat().st_mtime_ns
                loaded.append((name, stamp, weight, self._loaded(name, stamp, paths[name])))
        key = tuple((name, stamp, weight) for name, stamp, weight, _ in loaded)
        return LoraSet(key, combine([(changes, weight) for _, _, weight, changes in loaded]))

    def _paths(self) -> dict[str, Path]:
        return _paths(self._folder) | _paths(self._checkpoint.lora_dir)

    def _loaded(self, name: str, stamp: int, path: Path) -> Changes:
        if (name, stamp) not in self._files:
            try:
                changes = _read(path, self._checkpoint)
            except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, SafetensorError) as error:
                log.warning("LoRA rejected", extra={"lora": name, "reason": str(error)})
                raise CheckpointUnavailable(
                    f"LoRA {name} can't be used with this model, or is damaged; the worker's log has the reason."
                ) from error
            self._files[name, stamp] = changes
            while len(self._files) > KEPT_FILES:
                self._files.popitem(last=False)
        self._files.move_to_end((name, stamp))
        return self._files[name, stamp]


def _paths(folder: Path | None) -> dict[str, Path]:
    """The LoRA files of a folder by name."""
    return {name: path for name, path in _named(folder) if is_name(name)}


def _named(folder: Path | None) -> Iterator[tuple[str, Path]]:
    """The LoRA files of a folder with their names; of those with one name, the last one counts."""
    if folder is not None:
        yield from ((path.stem.lower(), path) for path in sorted(folder.glob("*.safetensors")))
        yield from ((path.parent.name.lower(), path) for path in sorted(folder.glob(f"*/{WEIGHTS_FILE}")))


def _hidden_by(name: str, paths: Mapping[str, Path]) -> str:
    """Why no request can name a LoRA file."""
    if name in paths:
        return f"{paths[name]} has the same name, and comes first"
    return "names have letters of ASCII, digits, dots, hyphens and underscores, 64 at most"


def _read(path: Path, checkpoint: Checkpoint) -> Changes:
    """The factors in a file of any layout that diffusers reads.

    diffusers loads them into models of the checkpoint's shapes, whose own weights are neither loaded nor used.

    Raises:
        ValueError: a layer isn't plain LoRA, or the file has layers that this model lacks.
    """
    from diffusers import StableDiffusionPipeline  # half a second that only LoRAs need

    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(checkpoint.unet.config)
        text_encoder = CLIPTextModel(checkpoint.text_encoder.config)
    parts: dict[Part, nn.Module] = {
        "unet": unet.to_empty(device="cpu"),  # on "meta", the LoRA's own weights would be created there, too
        "text_encoder": text_encoder.to_empty(device="cpu"),
    }
    pipeline = StableDiffusionPipeline(
        **parts,
        vae=None,
        tokenizer=None,
        scheduler=None,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    # It advises to open an issue where a file has nothing for one of the parts. What doesn't fit is found below.
    logging.getLogger("diffusers.loaders.lora_base").setLevel(logging.ERROR)
    pipeline.load_lora_weights(
        path.parent, weight_name=path.name, adapter_name=_ADAPTER, local_files_only=True, use_safetensors=True
    )
    changes = {part: dict(_factors(module, checkpoint.device)) for part, module in parts.items()}
    with safe_open(path, "pt") as file:
        tensors = sum(not name.endswith(".alpha") for name in file.keys())  # noqa: SIM118  # not a mapping
    layers = sum(len(found) for found in changes.values())
    if 2 * layers != tensors:
        raise ValueError(f"only {layers} layers of the file's {tensors} tensors fit this model")
    return changes


def _factors(module: nn.Module, device: torch.device) -> Iterator[tuple[str, Factors]]:
    """The factors of a module's layers, by the names that the weights have without LoRA."""
    from peft.tuners.lora import LoraLayer

    layers: list[tuple[str, Any]] = [pair for pair in module.named_modules() if isinstance(pair[1], LoraLayer)]
    for name, layer in layers:
        if layer.use_dora[_ADAPTER]:
            raise ValueError("DoRA isn't supported")
        up = layer.lora_B[_ADAPTER].weight.detach().float().flatten(1) * layer.scaling[_ADAPTER]
        down = layer.lora_A[_ADAPTER].weight.detach().float().flatten(1)
        yield f"{name}.weight", Factors(up.to(device), down.to(device))
