"""accelerate, set up for a training of a checkpoint: several processes, precision, and what its checkpoints hold."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import SAFE_MODEL_NAME, DistributedDataParallelKwargs, InitProcessGroupKwargs
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from riffusion.errors import SetupError
from riffusion.training.finetuning.options import TrainingOptions

# The other processes wait while the first cuts and encodes the data, and while it evaluates: longer than NCCL's 10
# minutes. Where one dies, the launcher ends the others at once.
_LONGEST_WAIT = timedelta(days=1)


def new_accelerator(options: TrainingOptions) -> Accelerator:
    """An accelerator whose checkpoints hold of the models what is trained, by its names in one process.

    Raises:
        SetupError: the device doesn't have the precision.
    """
    accelerator = Accelerator(
        mixed_precision=options.mixed_precision,
        gradient_accumulation_steps=options.accumulation,
        kwargs_handlers=[
            InitProcessGroupKwargs(timeout=_LONGEST_WAIT),
            DistributedDataParallelKwargs(broadcast_buffers=False),  # they are constants, and sending them takes all
        ],
    )
    if options.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise SetupError(
            "--mixed-precision fp16 needs a GPU, and this training would run on the CPU: choose bf16 or no, or install "
            "a PyTorch that finds the GPU."
        )
    accelerator.register_save_state_pre_hook(_save_trained)
    accelerator.register_load_state_pre_hook(_load_trained)
    return accelerator


def _trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """The weights in training, of the module that accelerate has wrapped where there are several processes."""
    module = model.module if isinstance(model, DistributedDataParallel) else model
    return {name: weight for name, weight in module.named_parameters() if weight.requires_grad}


def _save_trained(models: Sequence[nn.Module], weights: list[dict[str, Tensor]], _folder: str) -> None:
    """Replaces all weights, which accelerate is about to write: those of a frozen model are in its own folder."""
    weights[:] = [{name: weight.detach().contiguous() for name, weight in _trained(model).items()} for model in models]


@torch.no_grad()
def _load_trained(models: list[nn.Module], folder: str) -> None:
    """Loads what `_save_trained` left, or those of all weights that are trained, in accelerate's place.

    Raises:
        ValueError: one is missing.
    """
    for number, model in enumerate(models):
        saved = load_file(Path(folder) / f"{SAFE_MODEL_NAME}{f'_{number}' if number else ''}.safetensors")
        for name, weight in _trained(model).items():
            if name not in saved:
                raise ValueError(f"it lacks {name}")
            weight.copy_(saved[name])
    models.clear()
