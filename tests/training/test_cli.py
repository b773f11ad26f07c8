"""The commands, whose help doesn't import torch."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from riffusion.training.cli import train
from riffusion.training.distillation.options import DistillOptions
from riffusion.training.finetuning.options import FinetuneOptions


@pytest.mark.parametrize("command", ["data", "tiny", "judge", "finetune", "distill"])
def test_every_command_has_help(command: str) -> None:
    result = CliRunner().invoke(train, [command, "--help"])
    assert result.exit_code == 0
    assert "--seed" in result.output


@pytest.mark.parametrize(("command", "composes"), [("tiny", True), ("finetune", False), ("distill", False)])
def test_what_a_seed_is_for(command: str, composes: bool) -> None:
    help_text = " ".join(CliRunner().invoke(train, [command, "--help"]).output.split())
    assert ("The same seed composes" in help_text, "The same seed draws" in help_text) == (composes, not composes)


def test_help_imports_neither_torch_nor_numpy() -> None:
    code = "import sys, riffusion.training.cli; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_finetune_takes_every_option_with_its_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[FinetuneOptions] = []
    monkeypatch.setattr("riffusion.training.runs.finetune.finetune", ran.append)
    required = ["finetune", "--checkpoint", "model", "--data", str(tmp_path), "--output", str(tmp_path / "out")]
    changed = ["--warmup", "0", "--caption-dropout", "0.2", "--min-snr-gamma", "5", "--gradient-checkpointing"]
    for more in (
        [],
        [*changed, "--optimizer", "adamw-8bit", "--train-text-encoder", "--method", "full", "--single-file"],
    ):
        assert CliRunner().invoke(train, [*required, *more]).exit_code == 0
    plain = FinetuneOptions(checkpoint="model", data=tmp_path, output=tmp_path / "out")
    assert ran[0] == plain
    differ = {each.name for each in fields(plain) if getattr(ran[1], each.name) != getattr(plain, each.name)}
    assert differ == {
        "warmup", "caption_dropout", "min_snr_gamma", "gradient_checkpointing", "optimizer", "train_text_encoder",
        "method", "single_file",
    }  # fmt: skip


def test_distill_takes_every_option_with_its_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[tuple[DistillOptions, Path | None]] = []
    monkeypatch.setattr("riffusion.training.runs.distill.distill", lambda *given: ran.append(given))
    required = ["distill", "--checkpoint", "model", "--data", str(tmp_path), "--output", str(tmp_path / "out")]
    changed = ["--guidance", "3", "--teacher-steps", "16", "--student-steps", "2", "--trajectories", "64"]
    for more in ([], [*changed, "--judged", "8", "--export-to", str(tmp_path)]):
        assert CliRunner().invoke(train, [*required, *more]).exit_code == 0
    plain = DistillOptions(checkpoint="model", data=tmp_path, output=tmp_path / "out")
    assert ran[0] == (plain, None)
    assert ran[1][1] == tmp_path
    differ = {each.name for each in fields(plain) if getattr(ran[1][0], each.name) != getattr(plain, each.name)}
    assert differ == {"guidance", "teacher_steps", "student_steps", "trajectories", "judged"}
