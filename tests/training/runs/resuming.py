"""What the tests of every training of a checkpoint share: output folders, weights, and that it resumes exactly."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from riffusion.training.finetuning.options import TrainingOptions
from riffusion.training.runs.checkpoint_training import CheckpointTraining

_Options = TypeVar("_Options", bound=TrainingOptions)


def elsewhere(options: _Options, folder: Path, prepared: str) -> Callable[..., _Options]:
    """The options with changes and an output folder of its own, in `folder`, which has what was prepared."""

    def changed(name: str, **changes: Any) -> _Options:
        shutil.copytree(options.output / prepared, folder / name / prepared)
        return replace(options, output=folder / name, **changes)

    return changed


def assert_resumes_exactly(
    train: Callable[[_Options], Path], whole: _Options, stopped: _Options, stage: tuple[type[CheckpointTraining], str]
) -> None:
    """Stops a training in the method `stage`, after its first step, and compares what it ends with."""
    expected = weights(train(whole))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(*stage, _stop)
        with pytest.raises(KeyboardInterrupt):
            train(replace(stopped, sample_every=1))
    resumed = weights(train(stopped))
    assert expected.keys() == resumed.keys()
    assert all(torch.equal(weight, resumed[name]) for name, weight in expected.items())


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def weights(folder: Path) -> dict[str, Tensor]:
    """All weights in a folder, by file and name."""
    return {
        f"{path.relative_to(folder)} {name}": weight
        for path in folder.rglob("*.safetensors")
        for name, weight in load_file(path).items()
    }
