"""The optimizers of a fine-tuning: torch's AdamW, or that of bitsandbytes with its moments in 8 bits."""

import importlib
from collections.abc import Callable

import torch

from riffusion.errors import ToolMissing
from riffusion.training.finetuning.options import OptimizerName


def optimizer_class(name: OptimizerName) -> Callable[..., torch.optim.Optimizer]:
    """The class.

    Raises:
        ToolMissing: bitsandbytes isn't installed.
    """
    if name == "adamw":
        return torch.optim.AdamW
    try:
        eight_bit: Callable[..., torch.optim.Optimizer] = importlib.import_module("bitsandbytes.optim").AdamW8bit
    except ImportError as error:
        raise ToolMissing(
            "8-bit AdamW is part of bitsandbytes, which can't be imported: run `pip install bitsandbytes` on a machine "
            f"with a GPU, or choose --optimizer adamw. ({error})"
        ) from None
    return eight_bit
