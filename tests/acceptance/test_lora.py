"""The LoRA of a fine-tuning, put into the worker's folder, and used in its clips."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionPipeline
from PIL import Image

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import choose_dtype
from riffusion.diffusion.noise import SeededNoise
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.testing import chord, save_tiny_checkpoint, tiny_checkpoint
from riffusion.training.finetuning.options import FinetuneOptions
from riffusion.training.runs.finetune import finetune
from tests.acceptance.conftest import Stack, http, start
from tests.conftest import S3Server, ValkeyServer, wait_until

ASKED = {"prompt": "chords", "seed": 3, "steps": 3, "guidance": 4.0}
WEIGHT = 1.5
Grey = npt.NDArray[np.int16]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save_tiny_checkpoint(tmp_path / "model")


@pytest.fixture
def running(tmp_path: Path, model: Path, valkey: ValkeyServer, s3_server: S3Server) -> Iterator[Stack]:
    (tmp_path / "loras").mkdir()
    with start(tmp_path, valkey, s3_server, checkpoint=model, device="cpu", lora_dir=tmp_path / "loras") as stack:
        stack.start_worker()
        yield stack


def picture(stack: Stack, **more: object) -> Grey:
    job = stack.client.submit(TextToAudio(**ASKED, **more)).wait()
    content = http.get(job.image.url).raise_for_status().content
    return np.asarray(Image.open(io.BytesIO(content)), np.int16)


@torch.no_grad()
def diffusers_picture(model: Path, lora: Path) -> Grey:
    """The picture that diffusers makes from the same noise with the same LoRA."""
    pipeline = StableDiffusionPipeline.from_pretrained(model)
    pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config)
    pipeline.load_lora_weights(lora, adapter_name="tuned")
    pipeline.set_adapters("tuned", WEIGHT)
    latents = pipeline(
        ASKED["prompt"],
        num_inference_steps=ASKED["steps"],
        guidance_scale=ASKED["guidance"],
        latents=SeededNoise(3).draw((4, 64, 64))[None],
        output_type="latent",
    ).images
    return Autoencoder(tiny_checkpoint()).decode(latents[0]).astype(np.int16)


def test_a_fine_tuned_lora_is_used_by_name(running: Stack, tmp_path: Path, model: Path) -> None:
    songs = tmp_path / "songs"
    songs.mkdir()
    soundfile.write(songs / "chords.wav", chord(5.3).T.numpy(), 44_100)
    without = picture(running)
    tuned = finetune(
        FinetuneOptions(
            checkpoint=str(model), data=songs, output=tmp_path / "tuning", rank=4, steps=3, batch=1, warmup=1,
            rate=0.05, held_out=0, on_beats=False, prompts=("chords",), sample_steps=2,
        )
    )  # fmt: skip
    tuned.rename(tmp_path / "loras" / "mine")
    wait_until(
        lambda: http.get(f"{running.url}/models").json()["models"][0]["loras"] == ["mine"], 60, "it is never listed"
    )
    heard = picture(running, lora={"mine": WEIGHT})
    assert np.abs(heard - without).max() > 5
    theirs = diffusers_picture(model, tmp_path / "loras" / "mine")
    assert np.abs(heard - theirs).mean() < np.abs(without - theirs).mean()
    if (
        choose_dtype(torch.device("cpu")) == torch.float32
    ):  # in bfloat16, a picture of random weights differs by several
        assert np.abs(heard - theirs).max() <= 1
    assert np.array_equal(picture(running, fresh=True), without)
    refused = http.post(f"{running.url}/jobs", json={"mode": "text-to-audio", **ASKED, "lora": {"yours": 1}})
    assert refused.status_code == 422
    assert "mine" in refused.json()["detail"]
