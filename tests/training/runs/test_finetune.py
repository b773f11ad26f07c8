"""Fine-tuning, end to end, of a small random model of the real classes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch
from accelerate.optimizer import AcceleratedOptimizer
from accelerate.state import AcceleratorState
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

from riffusion.diffusion.checkpoint import DEFAULTS_FILE, load_checkpoint
from riffusion.diffusion.lora_folder import WEIGHTS_FILE
from riffusion.errors import SetupError, StorageUnavailable
from riffusion.testing import chord, save_tiny_checkpoint
from riffusion.training.finetuning.lora_files import KOHYA_FILE
from riffusion.training.finetuning.options import FinetuneOptions
from riffusion.training.runs.finetune import Finetuning, finetune
from riffusion.training.runs.run_lock import run_lock
from tests.conftest import free_port
from tests.training.runs import resuming

GUIDANCE = 3.5
EVERYTHING: dict[str, Any] = {
    "train_text_encoder": True,
    "gradient_checkpointing": True,
    "min_snr_gamma": 5.0,
    "caption_dropout": 0.5,
    "accumulation": 2,
    "warmup": 0,
}


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> FinetuneOptions:
    root = tmp_path_factory.mktemp("finetune")
    model, songs = save_tiny_checkpoint(root / "model"), root / "songs"
    (model / DEFAULTS_FILE).write_text(json.dumps({"guidance": GUIDANCE}))
    songs.mkdir()
    for number in range(2):
        soundfile.write(songs / f"{number} chords.wav", chord(5.3).T.numpy(), 44_100)
    return FinetuneOptions(
        checkpoint=str(model),
        data=songs,
        output=root / "whole",
        rank=2,
        steps=2,
        batch=1,
        warmup=1,
        rate=1e-2,
        held_out=0.5,
        on_beats=False,
        checkpoint_every=1,
        sample_every=10,
        prompts=("chords",),
        sample_steps=2,
    )


@pytest.fixture(scope="module")
def lora(options: FinetuneOptions) -> Path:
    return finetune(options)


@pytest.fixture
def elsewhere(options: FinetuneOptions, lora: Path, tmp_path: Path) -> Callable[..., FinetuneOptions]:
    return resuming.elsewhere(options, tmp_path, "data")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the pipeline is called with, which then returns black pictures at once; little is measured beside."""
    calls: list[dict[str, Any]] = []

    def call(_: StableDiffusionPipeline, **options: Any) -> SimpleNamespace:
        calls.append(options)
        return SimpleNamespace(images=torch.zeros(len(options["prompt_embeds"]), 3, 512, 512))

    monkeypatch.setattr(StableDiffusionPipeline, "__call__", call)
    monkeypatch.setattr("riffusion.training.runs.finetune._HELD_OUT_DRAWS", 4)
    monkeypatch.setattr("riffusion.training.evaluation.sample_files.SpectrogramCodec.decode", lambda *_: chord(0.1))
    return calls


def test_lora_loads_into_the_model_and_changes_it(options: FinetuneOptions, lora: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(options.checkpoint)
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 77, 16)
    with torch.no_grad():
        before = pipeline.unet(*inputs).sample
        pipeline.load_lora_weights(lora)
        after = pipeline.unet(*inputs).sample
    assert not torch.allclose(before, after)


def test_writes_metrics_samples_and_a_checkpoint(options: FinetuneOptions, lora: Path) -> None:
    assert _steps(options) == [1, 2]
    assert "held_out_loss" in (options.output / "metrics.jsonl").read_text()
    samples = options.output / "samples" / "000002"
    assert {path.name for path in samples.iterdir()} == {"grid.png", "0.wav", "prompts.txt"}


@pytest.mark.parametrize("changes", [{}, EVERYTHING, {"method": "full", **EVERYTHING}], ids=["plain", "all", "full"])
def test_resumes_exactly(elsewhere: Callable[..., FinetuneOptions], changes: Any, calls: list[Any]) -> None:
    whole, stopped = elsewhere("whole", **changes), elsewhere("stopped", **changes)
    resuming.assert_resumes_exactly(finetune, whole, stopped, (Finetuning, "sample"))
    assert _steps(stopped) == [1, 2]  # the first wasn't repeated


@pytest.mark.parametrize("last", [False, True])
def test_samples_that_a_kill_interrupted_are_written_at_the_next_start(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any], last: bool
) -> None:
    options = elsewhere("killed", steps=1 if last else 2, sample_every=1)
    samples = options.output / "samples"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("riffusion.training.evaluation.sample_files.SpectrogramCodec.decode", _kill)
        with pytest.raises(KeyboardInterrupt):
            finetune(options)
    assert not (samples / "000001").exists()
    finetune(options)
    written = ["000001"] if last else ["000001", "000002"]
    assert sorted(path.name for path in samples.iterdir()) == written
    assert all((samples / name / "prompts.txt").exists() for name in written)
    lines = [json.loads(line) for line in (options.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "held_out_loss" in line] == [int(name) for name in written]
    assert _steps(options) == ([1] if last else [1, 2])
    called = len(calls)
    finetune(options)
    assert len(calls) == called  # they are there


def _kill(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("file", ["samples", "data", "lora", "tensorboard"])
def test_what_cannot_be_written_is_named(options: FinetuneOptions, tmp_path: Path, calls: list[Any], file: str) -> None:
    (tmp_path / file).touch()  # where a folder has to be
    with pytest.raises(StorageUnavailable, match="can't be read or written") as error:
        finetune(replace(options, output=tmp_path, steps=1))
    assert str(tmp_path / file) in str(error.value)


def _steps(options: FinetuneOptions) -> list[int]:
    lines = [json.loads(line) for line in (options.output / "metrics.jsonl").read_text().splitlines()]
    return [line["step"] for line in lines if "loss" in line]


def test_a_text_encoder_is_trained_into_both_files(elsewhere: Callable[..., FinetuneOptions], calls: list[Any]) -> None:
    result = finetune(elsewhere("text", train_text_encoder=True, caption_dropout=0.0))
    for file, up in ((WEIGHTS_FILE, "lora_linear_layer.up.weight"), (KOHYA_FILE, "lora_up.weight")):
        weights = load_file(result / file)
        layers = [weight for name, weight in weights.items() if "text_model" in name and name.endswith(up)]
        assert len(layers) == 4
        assert all(bool(weight.any()) for weight in layers)  # they began at 0


def test_samples_are_made_as_a_worker_makes_clips(
    elsewhere: Callable[..., FinetuneOptions], calls: list[dict[str, Any]]
) -> None:
    finetune(elsewhere("samples", prompts=("chords", "slow chords " * 8), steps=1))
    assert [call["generator"].initial_seed() for call in calls] == [0, 1]
    assert {call["guidance_scale"] for call in calls} == {GUIDANCE}
    assert {call["prompt_embeds"].shape for call in calls} == {(1, 2 * 77, 16)}  # the second has more than 75 tokens
    assert torch.equal(calls[0]["negative_prompt_embeds"], calls[1]["negative_prompt_embeds"])
    assert not torch.equal(calls[0]["prompt_embeds"], calls[1]["prompt_embeds"])


def test_the_held_out_loss_is_of_the_averaged_weights_whatever_the_batch(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any]
) -> None:
    def held_out_loss(options: FinetuneOptions) -> float:
        training = Finetuning(options)
        with torch.no_grad():
            for weight in training.trained:
                weight.fill_(float("nan"))  # the current ones; the average has those of the beginning
        models = training.models
        found = training.evaluate(options.output)["held_out_loss"]
        assert training.models is models
        assert all(weight.isnan().all() for weight in training.trained)  # again
        return found

    loss = held_out_loss(elsewhere("one", batch=1))
    assert loss == held_out_loss(elsewhere("three", batch=3))
    assert 0 < loss < 10


def test_full_training_writes_models_that_open(
    options: FinetuneOptions, elsewhere: Callable[..., FinetuneOptions], calls: list[Any]
) -> None:
    result = finetune(elsewhere("full", method="full", steps=1, single_file=True))
    tuned = StableDiffusionPipeline.from_pretrained(result).unet.state_dict()
    original = StableDiffusionPipeline.from_pretrained(options.checkpoint).unet.state_dict()
    assert any(not torch.equal(tuned[name], original[name]) for name in original)
    assert load_checkpoint(result, None, torch.device("cpu"), torch.float32).guidance == GUIDANCE
    assert {"vocab.json", "merges.txt"} <= {path.name for path in (result / "tokenizer").iterdir()}
    opened = StableDiffusionPipeline.from_single_file(result.with_suffix(".safetensors"), config=str(result))
    assert all(torch.equal(weight, tuned[name]) for name, weight in opened.unet.state_dict().items())


def test_one_file_of_a_lora_is_refused(options: FinetuneOptions) -> None:
    with pytest.raises(SetupError, match="--method full"):
        replace(options, single_file=True)


def test_the_rate_rises_and_falls(options: FinetuneOptions) -> None:
    longer = replace(options, rate=1, steps=100, warmup=10)
    assert longer.rate_at(0) == pytest.approx(0.1)
    assert longer.rate_at(9) > longer.rate_at(60) > longer.rate_at(100) == 0
    assert replace(longer, warmup=0).rate_at(0) == 1
    whole, half = replace(longer, warmup=1000), replace(longer, warmup=50)
    assert [whole.rate_at(step) for step in range(100)] == [half.rate_at(step) for step in range(100)]


def test_all_weights_have_a_lower_rate_than_a_lora_unless_one_is_given(options: FinetuneOptions) -> None:
    usual = replace(options, rate=None, warmup=0)
    assert usual.rate_at(0) == 1e-4
    assert replace(usual, method="full").rate_at(0) == 1e-5
    assert replace(options, method="full", warmup=0).rate_at(0) == options.rate


def test_steps_of_more_batches_than_before_begin_with_their_first(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = elsewhere("accumulation", steps=1)
    finetune(options)
    taken: list[bool] = []
    step = AcceleratedOptimizer.step

    def noted(optimizer: AcceleratedOptimizer) -> None:
        taken.append(optimizer.gradient_state.sync_gradients)
        step(optimizer)

    monkeypatch.setattr(AcceleratedOptimizer, "step", noted)
    finetune(replace(options, steps=3, accumulation=2))
    assert taken == [False, True, False, True]


def test_a_resumed_training_has_the_rate_of_its_options(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = elsewhere("rate", steps=1, warmup=0)
    used: list[float] = []
    step = AcceleratedOptimizer.step

    def noted(optimizer: AcceleratedOptimizer) -> None:
        used.append(optimizer.param_groups[0]["lr"])
        step(optimizer)

    monkeypatch.setattr(AcceleratedOptimizer, "step", noted)
    finetune(options)
    finetune(replace(options, steps=2, rate=1e-3))
    assert used == [pytest.approx(1e-2), pytest.approx(0.5e-3)]
    lines = [json.loads(line) for line in (options.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["rate"] for line in lines if "rate" in line] == used


@pytest.mark.parametrize(
    ("changes", "differences"),
    [
        ({"rank": 4}, ["--rank was 2 and is 4"]),
        ({"method": "full"}, ["--method was lora and is full", "--rank was 2 and is not set"]),
        ({"train_text_encoder": True}, ["--train-text-encoder was off and is on"]),
    ],
)
def test_options_that_shape_the_weights_cannot_change(
    options: FinetuneOptions, lora: Path, changes: dict[str, Any], differences: list[str]
) -> None:
    with pytest.raises(SetupError) as refused:
        finetune(replace(options, **changes))
    assert all(each in str(refused.value) for each in differences)


def test_another_model_cannot_resume(options: FinetuneOptions, lora: Path, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="the digest of --checkpoint was"):
        finetune(replace(options, checkpoint=str(save_tiny_checkpoint(tmp_path / "other", seed=1))))
    moved = shutil.copytree(options.checkpoint, tmp_path / "moved")
    assert finetune(replace(options, checkpoint=str(moved))) == lora


def test_a_checkpoint_holds_the_lora_alone_and_one_of_all_weights_is_read(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any]
) -> None:
    options = elsewhere("lora alone", steps=1)
    finetune(options)
    file = options.output / "checkpoints" / "checkpoint_1" / "model.safetensors"
    saved = load_file(file)
    assert saved
    assert all("lora_" in name for name in saved)
    training = Finetuning(options)
    unet = training.parts["unet"]
    save_file(unet.state_dict() | saved, file)
    training.checkpoints.load(training.accelerator)
    assert all(torch.equal(weight, unet.state_dict()[name]) for name, weight in saved.items())
    saved.popitem()
    save_file(saved, file)
    with pytest.raises(SetupError, match=r"can't be read \(it lacks .*Delete it to begin again"):
        training.checkpoints.load(training.accelerator)


def test_two_processes_train_a_text_encoder_and_one_resumes(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any]
) -> None:
    options = elsewhere("two", train_text_encoder=True)
    command = [sys.executable, "-m", "riffusion", "train", "finetune", "--checkpoint", options.checkpoint]
    command += ["--data", str(options.data), "--output", str(options.output), "--prompt", "chords", "--fixed-length"]
    command += ["--rank", "2", "--steps", "1", "--batch", "1", "--held-out", "0.5", "--train-text-encoder"]
    group = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "GLOO_SOCKET_IFNAME": "lo"}
    env = {**os.environ, **group, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    processes = [subprocess.Popen(command, env={**env, "RANK": n, "LOCAL_RANK": n}) for n in "01"]
    try:
        assert [process.wait(300) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    assert _steps(options) == [1]
    assert (options.output / "samples" / "000001" / "prompts.txt").exists()
    finetune(options)
    assert _steps(options) == [1, 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_half_precision_on_a_cpu_is_refused(options: FinetuneOptions, tmp_path: Path) -> None:
    AcceleratorState._reset_state()  # of other tests in this process
    try:
        with pytest.raises(SetupError, match=r"needs a GPU.*choose bf16 or no"):
            finetune(replace(options, output=tmp_path, mixed_precision="fp16"))
    finally:
        AcceleratorState._reset_state()


def test_a_loss_that_is_no_number_stops_before_a_checkpoint_has_it(
    elsewhere: Callable[..., FinetuneOptions], calls: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = elsewhere("diverged", steps=1)
    finetune(options)
    broken = Finetuning.loss
    monkeypatch.setattr(Finetuning, "loss", lambda self, random: broken(self, random) * float("nan"))
    with pytest.raises(SetupError, match=r"at step 2.*lower --rate"):
        finetune(replace(options, steps=3))
    assert [path.name for path in (options.output / "checkpoints").iterdir()] == ["checkpoint_1"]


def test_two_trainings_cannot_share_a_folder(options: FinetuneOptions, lora: Path) -> None:
    with run_lock(options.output), pytest.raises(SetupError, match="Another training uses"):
        finetune(options)
