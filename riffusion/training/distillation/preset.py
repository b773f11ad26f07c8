"""How a distilled model is to be run, as files: beside its weights, and in a model folder, as its quality `fast`."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, LORA_FOLDER
from riffusion.diffusion.lora_folder import WEIGHTS_FILE
from riffusion.training.data.whole_file import whole_file
from riffusion.training.distillation.solver import Solver

PRESET_FILE = "preset.json"
QUALITY = "fast"
"""Of the model folder, and the LoRA's name in it."""


def preset_of(student: Solver) -> dict[str, Any]:
    """The fields of requests to a worker."""
    return {
        "steps": student.steps,
        "scheduler": student.sampler,
        "timestep_spacing": "trailing",
        "guidance": student.guidance,
    }


def write_preset(student: Solver, folder: Path) -> None:
    """Writes those fields into `preset.json`."""
    (folder / PRESET_FILE).write_text(json.dumps(preset_of(student), indent=1) + "\n")


def write_defaults(student: Solver, model: Path) -> None:
    """Makes a model folder run like this by default, and at quality fast."""
    qualities = dict.fromkeys((QUALITY, "standard"), preset_of(student))
    _write(model / DEFAULTS_FILE, {"guidance": student.guidance, "qualities": qualities})


def export_fast(lora: Path, model: Path) -> None:
    """Copies the LoRA of a folder into a model folder, in half precision, as its quality `fast`."""
    halves = {name: weight.half() for name, weight in load_file(lora / WEIGHTS_FILE).items()}
    with whole_file(model / LORA_FOLDER / f"{QUALITY}.safetensors") as file:
        save_file(halves, file.name, metadata={"format": "pt"})
    path = model / DEFAULTS_FILE
    defaults = json.loads(path.read_text()) if path.exists() else {}
    preset = json.loads((lora / PRESET_FILE).read_text()) | {"lora": {QUALITY: 1.0}}
    _write(path, defaults | {"qualities": defaults.get("qualities", {}) | {QUALITY: preset}})


def _write(path: Path, contents: dict[str, Any]) -> None:
    with whole_file(path) as file:
        file.write((json.dumps(contents) + "\n").encode())
