"""Samples of a model in training, by a real pipeline."""

from pathlib import Path

import pytest
import torch
from PIL import Image

from riffusion.testing import chord, tiny_checkpoint
from riffusion.training.evaluation.sample_files import write_samples
from riffusion.training.finetuning.loss import objective_of
from riffusion.training.runs.export import assemble


def test_pictures_have_the_size_that_is_trained_on_and_are_made_one_by_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("riffusion.training.evaluation.sample_files.SpectrogramCodec.decode", lambda *_: chord(0.1))
    parts = tiny_checkpoint()
    parts.unet.register_to_config(sample_size=96)  # as Stable Diffusion 2.x of 768×768
    pipeline = assemble(parts.unet, parts.vae, None, parts.tokenizer, objective_of(parts, None).schedule)
    rows: list[int] = []
    parts.unet.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    write_samples(pipeline, ("funk", "bells"), torch.randn(3, 77, 16), tmp_path, steps=1, guidance_scale=3.0)
    assert Image.open(tmp_path / "grid.png").size == (2 * 512, 512)
    assert rows == [2, 2]  # each with guidance
    assert {path.name for path in tmp_path.iterdir()} == {"grid.png", "0.wav", "1.wav", "prompts.txt"}
