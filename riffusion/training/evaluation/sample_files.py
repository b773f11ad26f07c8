"""Samples of a model in training as files, to look at and to listen to."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from torch import Tensor

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.training.data.clip_pictures import FRAMES, SAMPLE_RATE, Pictures, to_pictures


@torch.no_grad()
def write_samples(
    pipeline: StableDiffusionPipeline,
    prompts: Sequence[str],
    prompt_embeds: Tensor,
    folder: Path,
    *,
    steps: int,
    guidance_scale: float,
) -> None:
    """Makes a picture after the other, of the size that is trained on, and writes them as `write_clips` does.

    Seeds are 0, 1, …

    Args:
        prompt_embeds: [1 + N, L, D] of the empty prompt and of the N prompts.
        steps: of the pipeline's own scheduler.
    """
    pictures = []
    for seed in range(len(prompts)):
        images = pipeline(
            prompt_embeds=prompt_embeds[seed + 1 : seed + 2],
            negative_prompt_embeds=prompt_embeds[:1],
            height=DEFAULT.frequencies,
            width=FRAMES,
            num_inference_steps=steps,
            guidance_scale=guidance_scale,
            generator=torch.Generator().manual_seed(seed),
            output_type="pt",
        ).images
        pictures.append(to_pictures(images.cpu() * 2 - 1))
    write_clips(np.concatenate(pictures), prompts, folder)


def write_clips(pictures: Pictures, prompts: Sequence[str], folder: Path) -> None:
    """Writes `grid.png`, the pictures [N, 512, 512] side by side; a WAV each; and the prompts as `prompts.txt`."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(list(pictures), axis=1)).save(folder / "grid.png")
    codec = SpectrogramCodec()
    for number, picture in enumerate(pictures):
        soundfile.write(folder / f"{number}.wav", codec.decode(Canvas.blank(picture)).T.numpy(), SAMPLE_RATE)
    (folder / "prompts.txt").write_text("\n".join(prompts) + "\n", encoding="utf-8")
