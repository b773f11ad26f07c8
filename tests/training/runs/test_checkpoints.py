"""Checkpoints that are whole or not there, and that are resumed by the same training alone."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from riffusion.errors import SetupError, StorageUnavailable
from riffusion.training.finetuning.options import Shape
from riffusion.training.runs.checkpoints import Checkpoints
from riffusion.training.runs.run_lock import run_lock

SHAPE: Shape = {"--rank": 16, "--method": "lora", "--train-text-encoder": False}

# Trains nothing: it saves ever other weights, and is killed by the second file of the third checkpoint.
KILLED = """
import os, signal, sys
from pathlib import Path
import accelerate.checkpointing as checkpointing
from tests.training.runs.test_checkpoints import SHAPE, Checkpoints, saves
save, files = checkpointing.save, []
def dying(*args, **options):
    save(*args, **options)
    files.append(args[1])
    if len(files) == 6:
        os.truncate(files[-1], 10)
        os.kill(os.getpid(), signal.SIGKILL)
checkpointing.save = dying
saves(Checkpoints(Path(sys.argv[1]), SHAPE, 99), 1, 2, 3)
"""


def trained(weight: float = 0.0) -> tuple[Accelerator, nn.Linear]:
    """An accelerator with a model and an optimizer, which have a step behind them."""
    accelerator, model = Accelerator(cpu=True), nn.Linear(400, 400)
    model, optimizer = accelerator.prepare(model, torch.optim.AdamW(model.parameters()))
    model(torch.ones(400)).sum().backward()
    optimizer.step()
    with torch.no_grad():
        model.weight.fill_(weight)
    return accelerator, model


def saves(checkpoints: Checkpoints, *steps: int) -> None:
    """Saves weights that equal the step's number."""
    for step in steps:
        checkpoints.save(trained(float(step))[0], step)


def loaded(output: Path) -> float:
    """The weights of the last checkpoint."""
    accelerator, model = trained()
    Checkpoints(output, SHAPE, 99).load(accelerator)
    return float(model.weight.detach()[0, 0])


def names(output: Path) -> set[str]:
    return {path.name for path in (output / "checkpoints").iterdir()}


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    assert loaded(tmp_path) == 0
    saves(Checkpoints(tmp_path, SHAPE, 99), 9, 10, 11)
    assert names(tmp_path) == {"checkpoint_10", "checkpoint_11"}
    assert loaded(tmp_path) == 11


def test_a_kill_leaves_the_checkpoint_before_it(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert run.returncode == -signal.SIGKILL
    assert names(tmp_path) == {"checkpoint_1", "checkpoint_2", "3.part"}
    assert loaded(tmp_path) == 2
    (tmp_path / "checkpoints" / "2.part").mkdir()  # of an earlier kill
    saves(Checkpoints(tmp_path, SHAPE, 99), 3)
    assert names(tmp_path) == {"checkpoint_2", "checkpoint_3"}
    assert loaded(tmp_path) == 3


@pytest.fixture
def small_files() -> Iterator[None]:
    """Files can't get larger than 100 kB, as on a disk that gets full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_reported_and_what_was_written_is_removed(tmp_path: Path, request: Any) -> None:
    checkpoints = Checkpoints(tmp_path, SHAPE, 99)
    saves(checkpoints, 1)
    request.getfixturevalue("small_files")
    with pytest.raises(StorageUnavailable, match=r"step 2 can't be written .*resumes at that of step 1"):
        saves(checkpoints, 2)
    assert names(tmp_path) == {"checkpoint_1"}


@pytest.mark.parametrize("damage", ["missing", "cut short", "empty"])
def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path: Path, damage: str) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 1, 2)
    file = tmp_path / "checkpoints" / "checkpoint_2" / "optimizer.bin"
    if damage == "missing":
        file.unlink()
    else:
        os.truncate(file, 1000 if damage == "cut short" else 0)
    with pytest.raises(SetupError, match=r"checkpoint_2 can't be read .*Delete it to resume at step 1"):
        loaded(tmp_path)


def test_a_checkpoint_with_other_bytes_is_named_with_what_to_do(tmp_path: Path) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 1)
    file = tmp_path / "checkpoints" / "checkpoint_1" / "optimizer.bin"
    whole, random = file.read_bytes(), Random(0)
    file.unlink()
    torch.save({"state": 5}, file)  # whole, but no optimizer's
    with pytest.raises(SetupError, match=r"checkpoint_1 can't be read .*Delete it to begin again"):
        loaded(tmp_path)
    for _ in range(30):
        start = random.randrange(2000)  # the file says there what it holds
        file.write_bytes(whole[:start] + random.randbytes(100) + whole[start + 100 :])
        with suppress(SetupError):  # tensors of other numbers are read as they are
            loaded(tmp_path)


def test_folders_of_other_names_are_left_alone(tmp_path: Path) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 1, 2)
    others = {"checkpoint_2 (copy)", "checkpoint_best", "checkpoint_3.bak", "checkpoint_", "notes.part"}
    for name in others:
        (tmp_path / "checkpoints" / name).mkdir()
    (tmp_path / "checkpoints" / "checkpoint_9").touch()
    assert loaded(tmp_path) == 2
    saves(Checkpoints(tmp_path, SHAPE, 99), 3)
    assert names(tmp_path) == {"checkpoint_2", "checkpoint_3", "checkpoint_9", *others}


def test_fewer_steps_than_have_been_taken_are_refused(tmp_path: Path) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 10)
    Checkpoints(tmp_path, SHAPE, 10)
    with pytest.raises(SetupError, match=r"is of step 10, later than --steps 9\. Give at least as many"):
        Checkpoints(tmp_path, SHAPE, 9)


def test_another_training_is_refused_with_every_difference(tmp_path: Path) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 1)
    with pytest.raises(SetupError) as refused:
        Checkpoints(tmp_path, {"--rank": 8, "--method": "lora", "--train-text-encoder": True, "--guidance": None}, 99)
    assert "--rank was 16 and is 8" in str(refused.value)
    assert "--train-text-encoder was off and is on" in str(refused.value)
    assert "--method" not in str(refused.value)
    assert "choose another --output" in str(refused.value)


def test_a_checkpoint_without_its_options_is_refused(tmp_path: Path) -> None:
    saves(Checkpoints(tmp_path, SHAPE, 99), 1)
    (tmp_path / "checkpoints" / "checkpoint_1" / "options.json").write_text("{")
    with pytest.raises(SetupError, match="doesn't say which options"):
        Checkpoints(tmp_path, SHAPE, 99)


def test_a_deleted_folder_begins_again(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, SHAPE, 99)
    saves(checkpoints, 1)
    shutil.rmtree(tmp_path / "checkpoints")
    saves(checkpoints, 2)
    assert names(tmp_path) == {"checkpoint_2"}
    assert json.loads((tmp_path / "checkpoints" / "checkpoint_2" / "options.json").read_text()) == SHAPE


def test_one_training_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_lock(tmp_path / "output"):
        with pytest.raises(SetupError, match="Another training uses"), run_lock(tmp_path / "output"):
            pass
        monkeypatch.setenv("RANK", "1")
        with run_lock(tmp_path / "output"):  # the second process of the same training
            monkeypatch.setenv("RANK", "0")
    with run_lock(tmp_path / "output"):
        pass


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="choose another --output"), run_lock(tmp_path / "file"):
        pass
