"""The bundled model's training, from an empty folder to a model that opens, in a few steps."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTextModel

from riffusion.diffusion.checkpoint import load_checkpoint
from riffusion.errors import StorageUnavailable
from riffusion.training.data.lexicon import model_vocabulary
from riffusion.training.data.soundfont import SOUNDFONT
from riffusion.training.evaluation.sampler import GUIDANCE
from riffusion.training.runs.tiny import (
    export_tiny,
    make_autoencoder,
    make_decoder,
    make_latents,
    make_small_decoder,
    make_text_encoder,
    render_data,
    train_tiny,
)
from riffusion.training.runs.tiny_folder import DECODED, TinyRun
from riffusion.training.runs.trainer import TrainerOptions

pytestmark = pytest.mark.skipif(not SOUNDFONT.exists(), reason="FluidSynth's soundfont isn't installed")


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> TinyRun:
    """A finished training."""
    options = TrainerOptions(steps=2, batch=1, average_every=1, checkpoint_every=1, processes=1)
    job = TinyRun(
        tmp_path_factory.mktemp("tiny"), options, clips=2, held_out_clips=1, text_steps=2, extension_steps=2,
        autoencoder_steps=2, decoder_steps=(2, 2),
        small_decoder_steps=2,
    )  # fmt: skip
    train_tiny(job)
    export_tiny(job, job.folder / "model")
    return job


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    job = TinyRun(tmp_path, TrainerOptions(steps=1, processes=1), clips=1, held_out_clips=1)
    (tmp_path / "train-0").touch()  # where a folder has to be
    with pytest.raises(StorageUnavailable, match=rf"{tmp_path}/train-0.* can't be read or written"):
        render_data(job)
    with pytest.raises(StorageUnavailable, match=rf"{tmp_path}/unet/state-.* can't be read or written"):
        export_tiny(job, tmp_path / "model")


@torch.no_grad()
def test_one_run_makes_a_model_that_generates(job: TinyRun) -> None:
    checkpoint = load_checkpoint(job.folder / "model", None, torch.device("cpu"), torch.float32)
    assert checkpoint.guidance == GUIDANCE
    assert checkpoint.vocabulary == model_vocabulary()
    assert checkpoint.small_vae is not None
    configs = [path.read_text() for path in (job.folder / "model").rglob("*.json")]
    assert not any(str(job.folder) in config for config in configs)
    pipeline = StableDiffusionPipeline.from_pretrained(job.folder / "model", torch_dtype=torch.float32)
    image = pipeline("funk drums", num_inference_steps=2, output_type="np").images[0]
    assert image.shape == (512, 512, 3)
    assert image.std() > 0


def test_finished_stages_are_skipped(job: TinyRun) -> None:
    made = {path: path.stat().st_mtime_ns for path in job.folder.rglob("*") if path.suffix in (".npy", ".safetensors")}
    for stage in (render_data, make_text_encoder, make_autoencoder, make_latents, make_decoder, make_small_decoder):
        stage(job)
    assert len(made) >= 2 + 4 + 1  # pictures, parts and model, latents
    assert made == {path: path.stat().st_mtime_ns for path in made}


@pytest.mark.parametrize("lacks", [False, True])
def test_a_start_is_taught_the_words_that_it_lacks(job: TinyRun, tmp_path: Path, *, lacks: bool) -> None:
    start = Path(shutil.copytree(job.folder / "model", tmp_path / "model"))
    listed = model_vocabulary() | ({"synonyms": {}} if lacks else {})
    (start / "vocabulary.json").write_text(json.dumps(listed))
    further = replace(job, folder=tmp_path, start=start)
    make_text_encoder(further)
    before, after = (
        CLIPTextModel.from_pretrained(folder, dtype=torch.float32).state_dict()
        for folder in (start / "text_encoder", further.part("text_encoder"))
    )
    assert lacks != all(torch.equal(after[name], before[name]) for name in before)


def test_the_decoder_is_trained_for_the_same_latents(job: TinyRun) -> None:
    """Training the decoder changes no weight of the encoder: the cached latents stay valid."""
    first, last = (AutoencoderKL.from_pretrained(job.part(name)) for name in ("vae", DECODED))
    assert all(torch.equal(a, b) for a, b in zip(first.encoder.parameters(), last.encoder.parameters(), strict=True))
    assert not torch.equal(first.decoder.conv_in.weight, last.decoder.conv_in.weight)
