"""The UNet's training: averaging processes, checkpoints, exact resume."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from transformers import CLIPTextModel

from riffusion.errors import SetupError
from riffusion.testing import tiny_checkpoint
from riffusion.training.runs.trainer import (
    Trainer,
    TrainerOptions,
    TrainingData,
    check_checkpoint,
    last_checkpoint,
    run,
)

_OPTIONS = TrainerOptions(
    steps=4, batch=2, rate=1e-2, warmup=2, decay=0.0, average_every=2, checkpoint_every=2, processes=1, bf16=False
)


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A process group of this process alone."""
    meeting = tmp_path_factory.mktemp("dist") / "meeting"
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def _trainer(options: TrainerOptions) -> Trainer:
    parts = tiny_checkpoint()
    rng = np.random.default_rng(0)
    data = TrainingData(
        rng.normal(size=(4, 4, 64, 64)).astype(np.float16),
        torch.full((4, 2, 77), 513, dtype=torch.short),
        torch.full((77,), 513, dtype=torch.long),
    )
    encoder: CLIPTextModel = parts.text_encoder
    return Trainer(parts.unet.requires_grad_(True), encoder, data, options, rank=0)


def _weights(trainer: Trainer) -> torch.Tensor:
    return torch.cat([weight.detach().reshape(-1) for weight in trainer.unet.parameters()])


def _gradients(trainer: Trainer) -> torch.Tensor:
    """Of the last step; a parameter that it left out has 0."""
    return torch.cat([(0 * w if w.grad is None else w.grad).detach().reshape(-1) for w in trainer.unet.parameters()])


def test_resumes_exactly(tmp_path: Path) -> None:
    untrained = _weights(_trainer(_OPTIONS))
    whole, first, second = _trainer(_OPTIONS), _trainer(replace(_OPTIONS, steps=2)), _trainer(_OPTIONS)
    run(whole, tmp_path / "whole")
    run(first, tmp_path / "halves")
    assert last_checkpoint(tmp_path / "halves", 1) == 2
    run(second, tmp_path / "halves")
    assert second.step == 4
    assert torch.equal(_weights(second), _weights(whole))
    assert all(torch.equal(a, b) for a, b in zip(second.average.shadow, whole.average.shadow, strict=True))
    assert not torch.equal(_weights(whole), untrained)


def test_a_compiled_unet_learns_the_same_and_a_plain_one_resumes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    traced: list[object] = []

    def backend(graph: torch.fx.GraphModule, _inputs: object) -> Callable[..., object]:
        traced.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))  # Inductor would take minutes
    plain, compiled = _trainer(_OPTIONS), _trainer(replace(_OPTIONS, steps=2, compiled=True))
    assert compiled.train_step() == pytest.approx(plain.train_step(), rel=1e-4)
    assert traced
    expected, found = _gradients(plain), _gradients(compiled)
    assert (found - expected).square().sum() < 1e-6 * expected.square().sum()
    run(compiled, tmp_path)
    resumed = _trainer(_OPTIONS)
    resumed.load(tmp_path / "state-0-2.pt")
    assert torch.equal(_weights(resumed), _weights(compiled))
    assert np.isfinite(resumed.train_step())


def test_the_last_steps_are_saved_where_averages_do_not_fall_on_them(tmp_path: Path) -> None:
    run(_trainer(replace(_OPTIONS, steps=3)), tmp_path)
    assert last_checkpoint(tmp_path, 1) == 4


def test_a_checkpoint_needs_the_files_of_all_processes(tmp_path: Path) -> None:
    for name in ("state-0-8", "state-0-16", "state-1-8"):
        (tmp_path / f"{name}.pt").touch()
    assert last_checkpoint(tmp_path, 1) == 16
    assert last_checkpoint(tmp_path, 2) == 8
    assert last_checkpoint(tmp_path, 3) is None


def test_files_of_other_names_are_no_checkpoints(tmp_path: Path) -> None:
    for name in ("state-0-8.pt", "state-0-16 (copy).pt", "state-0-old.pt", "state-0-24.123.part"):
        (tmp_path / name).touch()
    assert last_checkpoint(tmp_path, 1) == 8


def test_what_cannot_be_resumed_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    check_checkpoint(tmp_path / "none", _OPTIONS)
    run(_trainer(_OPTIONS), tmp_path)
    check_checkpoint(tmp_path, replace(_OPTIONS, steps=3))  # they ended at an average
    with pytest.raises(SetupError, match="trained for 4 steps, more than --steps 2"):
        check_checkpoint(tmp_path, replace(_OPTIONS, steps=2))
    os.truncate(tmp_path / "state-0-4.pt", 1000)
    with pytest.raises(SetupError, match=r"state-0-4\.pt can't be read\. Delete it"):
        check_checkpoint(tmp_path, _OPTIONS)


def test_rate_warms_up_stays_and_falls() -> None:
    options = TrainerOptions(steps=1000, rate=1.0, warmup=100, decay=0.5)
    assert options.rate_at(0) == pytest.approx(0.01)
    assert options.rate_at(100) == options.rate_at(499) == 1
    assert options.rate_at(750) == pytest.approx(0.5)
    assert options.rate_at(999) < 0.001


def test_a_training_is_focused_on_notes_until_shortly_before_the_end() -> None:
    options = TrainerOptions(steps=1000, decay=0.5)
    assert options.on_notes(0)
    assert options.on_notes(879)
    assert not options.on_notes(880)
