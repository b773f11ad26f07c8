import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from riffusion.errors import ToolMissing
from riffusion.training.finetuning.optimizers import optimizer_class
from riffusion.training.finetuning.options import FinetuneOptions
from riffusion.training.runs.finetune import finetune


def test_adamw_is_that_of_torch() -> None:
    assert optimizer_class("adamw") is torch.optim.AdamW


def test_eight_bits_are_those_of_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    package, optim = ModuleType("bitsandbytes"), ModuleType("bitsandbytes.optim")
    optim.AdamW8bit = type("AdamW8bit", (torch.optim.AdamW,), {})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bitsandbytes", package)
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", optim)
    assert optimizer_class("adamw-8bit") is optim.AdamW8bit


def test_a_missing_package_is_named_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    options = FinetuneOptions(checkpoint="none", data=tmp_path, output=tmp_path, optimizer="adamw-8bit")
    with pytest.raises(ToolMissing, match="pip install bitsandbytes"):
        finetune(options)
