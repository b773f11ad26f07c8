"""Pictures from the model: embeddings, latents, the engine, and pixels again."""

import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from riffusion.diffusion.autoencoder import Autoencoder, Grey
from riffusion.diffusion.checkpoint import LATENT_CHANNELS, Checkpoint
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.lora_folder import LoraFolder
from riffusion.diffusion.noise import Noise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import Painting
from riffusion.diffusion.schedulers import count_calls
from riffusion.generate.canvas import HEIGHT, Mask, pad, padded_width
from riffusion.generate.clip import Control
from riffusion.requests.base import Painted, Prompted

_CHECK_S = 0.2  # between two looks at the control while no step is done


@dataclass(frozen=True, eq=False)
class Steering:
    """Where the model is steered to: embeddings [L, D] of one length, how strongly, and with which LoRAs."""

    prompt: Tensor
    negative: Tensor
    guidance: float
    lora: LoraSet | None


@dataclass(frozen=True, eq=False)
class Stroke:
    """One picture to paint."""

    steering: Steering
    noise: Noise
    width: int = 512
    """Columns; the model paints the next multiple of 64, and the rest is cut off."""
    init: Grey | None = None
    """[512, width] to start from."""
    denoising: float = 1.0
    mask: Mask | None = None
    """[512, width]: where to paint; elsewhere `init` guides the model, but its pixels come back only roughly."""


def guidance_of(guidance: float | None) -> float:
    """The guidance of a request, which the generator has filled in."""
    if guidance is None:
        raise ValueError("the request has no guidance: fill it in with `with_guidance`")
    return guidance


class Progress:
    """Counts a request's steps over all of its strokes and tells its control."""

    def __init__(self, control: Control, total: int) -> None:
        self.control = control
        self._total = total
        self._done = 0
        self._told = 0
        self._news = threading.Event()

    def step(self) -> None:
        """Called by the engine's thread."""
        self._done += 1
        self._news.set()

    def wake(self, _: object = None) -> None:
        """Something other than a step has happened."""
        self._news.set()

    def wait(self) -> None:
        """Until there is news or some time has passed; raises what the control raises."""
        self._news.wait(_CHECK_S)
        self._news.clear()
        if self._done != self._told:
            self._told = self._done
            self.control.progress(self._told, self._total)
        else:
            self.control.check()


class Painter:
    """One checkpoint's prompt encoder, LoRAs, autoencoder and engine. Thread-safe."""

    def __init__(self, checkpoint: Checkpoint, engine: Engine, lora_folder: Path | None = None) -> None:
        self.loras = LoraFolder(checkpoint, lora_folder)
        self.prompts = PromptEncoder(checkpoint)
        self._autoencoder = Autoencoder(checkpoint)
        self._engine = engine
        self._scale = checkpoint.scale
        self._jobs = itertools.count()

    def steering(self, request: Prompted) -> Steering:
        """Of a request with one prompt."""
        lora = self.loras.get(request.lora)
        prompt, negative = self.prompts.encode(request.prompt, request.negative_prompt, lora=lora)
        return Steering(prompt, negative, guidance_of(request.guidance), lora)

    def latent_shape(self, width: int) -> tuple[int, int, int]:
        """[4, H, W] of the latents for so many columns."""
        return LATENT_CHANNELS, HEIGHT // self._scale, padded_width(width) // self._scale

    def progress(self, request: Painted, control: Control, denoisings: Sequence[float]) -> Progress:
        """For a request that paints a stroke for each of the strengths."""
        calls = [count_calls(request.scheduler, request.steps, denoising) for denoising in denoisings]
        return Progress(control, sum(calls))

    def paint(self, request: Painted, strokes: Sequence[Stroke], progress: Progress) -> list[Grey]:
        """The pictures [512, width] of strokes that don't depend on each other, painted side by side.

        Raises:
            JobError: one of them failed, or the control stopped them; the others leave the batch.
        """
        job = next(self._jobs)
        futures: list[Future[Tensor]] = []
        try:
            for stroke in strokes:
                progress.control.check()
                painting = self._painting(request, stroke)
                future = self._engine.submit(
                    painting, tenant=job, weight=progress.control.weight, on_step=progress.step
                )
                futures.append(future)
                future.add_done_callback(progress.wake)
            pictures = dict(self._decoded(futures, progress))
        finally:
            for future in futures:
                future.cancel()
        return [pictures[index][:, : stroke.width] for index, stroke in enumerate(strokes)]

    def _decoded(self, futures: Sequence[Future[Tensor]], progress: Progress) -> Iterator[tuple[int, Grey]]:
        """Each picture as soon as its last step is done, while others still run; with its index."""
        pending = dict(enumerate(futures))
        while pending:
            progress.wait()
            for index in [index for index, future in pending.items() if future.done()]:
                yield index, self._autoencoder.decode(pending.pop(index).result())

    def _painting(self, request: Painted, stroke: Stroke) -> Painting:
        width = padded_width(stroke.width)
        init = self._autoencoder.encode(pad(stroke.init, width)) if stroke.init is not None else None
        return Painting(
            prompt=stroke.steering.prompt,
            negative=stroke.steering.negative,
            guidance=stroke.steering.guidance,
            noise=stroke.noise,
            shape=self.latent_shape(stroke.width),
            scheduler=request.scheduler,
            steps=request.steps,
            denoising=stroke.denoising,
            init=init,
            mask=self._latent_mask(stroke.mask, width) if stroke.mask is not None else None,
            lora=stroke.steering.lora,
        )

    def _latent_mask(self, mask: Mask, width: int) -> Tensor:
        """[1, H / 8, W / 8]: a latent is painted where any of its pixels is, and in the padding."""
        wide = np.pad(mask, ((0, 0), (0, width - mask.shape[1])), constant_values=True)
        return F.max_pool2d(torch.from_numpy(wide).float()[None], self._scale)
