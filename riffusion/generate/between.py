"""Pictures on the way from one end to another.

Embeddings, guidance and denoising go in a straight line from start to end, noise on the sphere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from riffusion.diffusion.noise import BlendedNoise, SeededNoise
from riffusion.generate.clip import Control
from riffusion.generate.painter import Conditioning, ImageTask, Painter, guidance_of, seed_of
from riffusion.generate.previews import side_by_side
from riffusion.requests.between import Between, mix
from riffusion.spectrogram.canvas import Canvas, Grey, Mask


@dataclass(frozen=True, eq=False)
class Kept:
    """What every picture keeps of one: its pixels where the mask is 0."""

    canvas: Canvas
    """In mono, as wide as the pictures."""
    mask: Mask


Initial = Callable[[float], Grey | Tensor | None]
"""What the picture at an alpha starts from, as in `ImageTask.init`."""


def paint_between(
    painter: Painter, request: Between, width: int, initial: Initial, control: Control, *, kept: Kept | None = None
) -> Grey:
    """The one picture [512, width] at `alpha`, or a run of them side by side as one wide picture."""
    tasks = list(_tasks(painter, request, width, initial, kept.mask if kept else None))
    progress = painter.progress(request, control, [task.denoising for task in tasks])

    def whole(greys: Sequence[Grey]) -> Grey:
        return side_by_side([kept.canvas.pasted(grey, kept.mask).grey for grey in greys] if kept else greys)

    return whole(painter.paint(request, tasks, progress, whole))


def _tasks(painter: Painter, request: Between, width: int, initial: Initial, mask: Mask | None) -> Iterator[ImageTask]:
    start, end = request.start, request.end
    alphas = [request.alpha] if request.alpha is not None else np.linspace(0, 1, request.clips or 2).tolist()
    lora = painter.loras.get(request.lora)
    prompts = painter.embeds(start.prompt, end.prompt, request.used_negative_prompt, lora=lora)
    for alpha in alphas:
        init = initial(alpha)
        guidance = mix(guidance_of(start.guidance), guidance_of(end.guidance), alpha)
        yield ImageTask(
            Conditioning(torch.lerp(prompts[0], prompts[1], alpha), prompts[2], guidance, lora),
            BlendedNoise(SeededNoise(seed_of(start.seed)), SeededNoise(seed_of(end.seed)), alpha),
            width,
            init=init,
            denoising=1.0 if init is None else mix(start.denoising, end.denoising, alpha),
            mask=mask,
        )
