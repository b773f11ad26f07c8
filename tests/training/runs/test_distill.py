"""Distillation, end to end, of a small random model of the real classes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, load_checkpoint
from riffusion.diffusion.lora_folder import WEIGHTS_FILE, LoraFolder
from riffusion.errors import SetupError
from riffusion.testing import save_tiny_checkpoint
from riffusion.training.distillation.options import DistillOptions
from riffusion.training.runs.distill import Distillation, distill
from tests.training.runs import resuming

PRESET = {"steps": 2, "scheduler": "euler", "timestep_spacing": "trailing", "guidance": 1.0}


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Any:
    """No pictures are decoded, and no clips written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("riffusion.training.runs.distill.write_clips", lambda *_: None)
        patch.setattr(Distillation, "_pictures", lambda *_: None)
        yield


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> DistillOptions:
    root = tmp_path_factory.mktemp("distill")
    model = save_tiny_checkpoint(root / "model")
    (model / DEFAULTS_FILE).write_text(json.dumps({"guidance": 3.0}))
    (root / "captions.txt").write_text("slow piano\nfunk\n")
    return DistillOptions(
        checkpoint=str(model),
        data=root / "captions.txt",
        output=root / "whole",
        rank=2,
        steps=2,
        batch=2,
        warmup=0,
        rate=1e-2,
        teacher_steps=4,
        student_steps=2,
        trajectories=16,
        checkpoint_every=1,
        sample_every=2,
    )


@pytest.fixture(scope="module")
def lora(options: DistillOptions) -> Path:
    return distill(options)


@pytest.fixture
def elsewhere(options: DistillOptions, lora: Path, tmp_path: Path) -> Callable[..., DistillOptions]:
    return resuming.elsewhere(options, tmp_path, "trajectories")


def test_a_worker_loads_the_lora_and_knows_how_to_run_it(options: DistillOptions, lora: Path) -> None:
    assert json.loads((lora / "preset.json").read_text()) == PRESET
    checkpoint = load_checkpoint(options.checkpoint, None, torch.device("cpu"), torch.float32)
    before = {name: weight.clone() for name, weight in checkpoint.unet.named_parameters()}
    checkpoint.lora_mergers["unet"].apply(LoraFolder(checkpoint, lora.parent).get({"lora": 1.0}))
    changed = {name for name, weight in checkpoint.unet.named_parameters() if not torch.equal(weight, before[name])}
    assert any("resnets" in name for name in changed)
    assert any("attn2" in name for name in changed)


def test_logs_how_far_the_student_is_from_the_teacher(options: DistillOptions, lora: Path) -> None:
    lines = [json.loads(line) for line in (options.output / "metrics.jsonl").read_text().splitlines()]
    (line,) = [each for each in lines if "distance" in each]
    assert line["distance"] > 0
    assert line["distance_from_clips"] > 0


@pytest.mark.parametrize("changes", [{}, {"method": "full", "accumulation": 2}], ids=["lora", "full"])
def test_resumes_exactly(elsewhere: Callable[..., DistillOptions], changes: Any) -> None:
    whole, stopped = elsewhere("whole", **changes), elsewhere("stopped", **changes)
    resuming.assert_resumes_exactly(distill, whole, stopped, (Distillation, "evaluate"))


def test_comes_nearer_to_the_teacher(elsewhere: Callable[..., DistillOptions]) -> None:
    options = elsewhere("near", method="full", steps=24, rate=2e-3, batch=4, sample_every=100, checkpoint_every=100)
    training = Distillation(options)
    with training.inference_mode():
        before = training._distance(0)
    training.run()
    with training.averaged():
        assert training._distance(0) < 0.95 * before


def test_all_weights_say_how_they_are_run(elsewhere: Callable[..., DistillOptions]) -> None:
    result = distill(elsewhere("full", method="full", steps=1))
    defaults = json.loads((result / DEFAULTS_FILE).read_text())
    assert defaults["guidance"] == 1
    assert defaults["qualities"]["standard"] == defaults["qualities"]["fast"] == PRESET


def test_a_model_folder_gets_the_quality_fast(elsewhere: Callable[..., DistillOptions], tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    defaults = {"guidance": 3.0, "qualities": {"best": {"steps": 40}}}
    (tmp_path / "model" / DEFAULTS_FILE).write_text(json.dumps(defaults))
    result = distill(elsewhere("exported", steps=1), tmp_path / "model")
    fast = PRESET | {"lora": {"fast": 1.0}}
    written = json.loads((tmp_path / "model" / DEFAULTS_FILE).read_text())
    assert written == {"guidance": 3.0, "qualities": {"best": {"steps": 40}, "fast": fast}}
    halves, weights = load_file(tmp_path / "model" / "lora" / "fast.safetensors"), load_file(result / WEIGHTS_FILE)
    assert all(torch.equal(halves[name], weight.half()) for name, weight in weights.items())
    assert halves.keys() == weights.keys()


def test_a_teacher_whose_guidance_ends_elsewhere_cannot_resume(
    options: DistillOptions, lora: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(options.checkpoint, tmp_path / "model")
    half = {"guidance": 3.0, "qualities": {"standard": {"steps": 4, "guidance_end": 0.5}}}
    (model / DEFAULTS_FILE).write_text(json.dumps(half))
    with pytest.raises(SetupError, match=r"the guidance_end of --checkpoint was not set and is 0\.5"):
        distill(replace(options, checkpoint=str(model), output=lora.parent))


def test_a_teacher_with_another_guidance_cannot_resume(options: DistillOptions, lora: Path, tmp_path: Path) -> None:
    model = shutil.copytree(options.checkpoint, tmp_path / "model")
    (model / DEFAULTS_FILE).write_text(json.dumps({"guidance": 4.0}))
    with pytest.raises(SetupError, match=r"--guidance was 3\.0 and is 4\.0"):
        distill(replace(options, checkpoint=str(model), output=lora.parent))
    assert distill(replace(options, guidance=3.0)) == lora


def test_what_does_not_fit_is_refused(options: DistillOptions, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="don't divide"):
        replace(options, teacher_steps=5)
    with pytest.raises(SetupError, match="Only a LoRA"):
        distill(replace(options, method="full"), tmp_path)
