"""Fine-tuning, end to end, of a small random model of the real classes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from riffusion.testing import chord, save_tiny_checkpoint
from riffusion.training.runs.finetune import FinetuneOptions, finetune


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> FinetuneOptions:
    root = tmp_path_factory.mktemp("finetune")
    model, songs = save_tiny_checkpoint(root / "model"), root / "songs"
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


def test_lora_loads_into_the_model_and_changes_it(options: FinetuneOptions, lora: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(options.checkpoint)
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([500]), torch.randn(1, 77, 16)
    with torch.no_grad():
        before = pipeline.unet(*inputs).sample
        pipeline.load_lora_weights(lora)
        after = pipeline.unet(*inputs).sample
    assert not torch.allclose(before, after)


def test_writes_metrics_samples_and_a_checkpoint(options: FinetuneOptions, lora: Path) -> None:
    lines = [json.loads(line) for line in (options.output / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [1, 2]
    assert any("held_out_loss" in line for line in lines)
    samples = options.output / "samples" / "000002"
    assert {path.name for path in samples.iterdir()} == {"grid.png", "0.wav", "prompts.txt"}


def test_resumes_exactly(options: FinetuneOptions, lora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = replace(options, output=options.output.with_name("stopped"))
    monkeypatch.setattr("riffusion.training.runs.finetune.Finetuning.sample", _stop)
    monkeypatch.setattr(FinetuneOptions, "sample_every", 1, raising=False)
    with pytest.raises(KeyboardInterrupt):
        finetune(replace(stopped, sample_every=1))
    monkeypatch.undo()
    resumed = load_file(finetune(stopped) / "pytorch_lora_weights.safetensors")
    whole = load_file(lora / "pytorch_lora_weights.safetensors")
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    steps = [json.loads(line)["step"] for line in (stopped.output / "metrics.jsonl").read_text().splitlines()]
    assert steps.count(1) >= 1
    assert max(steps) == 2


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_full_training_writes_a_model_that_opens(options: FinetuneOptions) -> None:
    result = finetune(replace(options, method="full", steps=1, output=options.output.with_name("full")))
    tuned = StableDiffusionPipeline.from_pretrained(result).unet.state_dict()
    original = StableDiffusionPipeline.from_pretrained(options.checkpoint).unet.state_dict()
    assert any(not torch.equal(tuned[name], original[name]) for name in original)
