"""Pictures from the model: embeddings, latents, the engine, and pixels again."""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.lora_folder import LoraFolder
from riffusion.diffusion.noise import Noise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest
from riffusion.diffusion.schedulers import count_calls
from riffusion.diffusion.small_decoder import preview_decoder
from riffusion.diffusion.stages import stage
from riffusion.diffusion.supported import LATENT_CHANNELS
from riffusion.generate.clip import Control
from riffusion.generate.denoise_span import record_denoising
from riffusion.generate.previews import Previewer, Previews, Whole, side_by_side
from riffusion.generate.vocabulary import KnownWords
from riffusion.geometry import CLIP_COLUMNS, ROWS, padded_width
from riffusion.requests.base import Painted, Prompted
from riffusion.spectrogram.canvas import Grey, Mask, pad

_CHECK_S = 0.2  # between two calls of the control while no step is done


@dataclass(frozen=True, eq=False)
class Conditioning:
    """What denoising is conditioned on: embeddings [L, D] of one length, how strongly, and with which LoRAs."""

    prompt: Tensor
    negative: Tensor
    guidance: float
    lora: LoraSet | None


@dataclass(frozen=True, eq=False)
class ImageTask:
    """One picture to paint."""

    conditioning: Conditioning
    noise: Noise
    width: int = CLIP_COLUMNS
    """Columns; the model paints the next multiple of 64, and the rest is cut off."""
    init: Grey | Tensor | None = None
    """[512, width] to start from, or the latents of one (`Painter.encode`)."""
    denoising: float = 1.0
    mask: Mask | None = None
    """[512, width]: where to paint, and how strongly; elsewhere `init` guides the model, but its pixels come back only
    roughly."""


def guidance_of(guidance: float | None) -> float:
    """The guidance of a request, which the generator has filled in."""
    if guidance is None:
        raise ValueError("The request has no guidance: fill it in with `with_guidance`.")
    return guidance


def seed_of(seed: int | None) -> int:
    """The seed of a request, which is drawn before a request is run."""
    if seed is None:
        raise ValueError("The request has no seed: fill it in with `with_seed`.")
    return seed


class Progress:
    """Counts a request's steps over all of its images and reports them, with its previews, to its control."""

    def __init__(self, control: Control, total: int, previews: Previews) -> None:
        self.control = control
        self.previews = previews
        self._total = total
        self._done = 0
        self._reported = 0
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
        if self._done != self._reported:
            self._reported = self._done
            self.control.progress(self._reported, self._total)
        else:
            self.control.check()


class Painter:
    """One checkpoint's prompt encoder, LoRAs, autoencoder and engine. Thread-safe."""

    def __init__(self, checkpoint: Checkpoint, engine: Engine, lora_folder: Path | None = None) -> None:
        self.loras = LoraFolder(checkpoint, lora_folder)
        self.words = KnownWords(checkpoint.vocabulary) if checkpoint.vocabulary else None
        self._prompts = PromptEncoder(checkpoint)
        self._autoencoder = Autoencoder(checkpoint)
        self._previewer = Previewer(preview_decoder(checkpoint))
        self._engine = engine
        self._scale = checkpoint.scale
        self._jobs = itertools.count()

    def conditioning(self, request: Prompted) -> Conditioning:
        """Of a request with one prompt."""
        lora = self.loras.get(request.lora)
        prompt, negative = self.embeds(request.prompt, request.used_negative_prompt, lora=lora)
        return Conditioning(prompt, negative, guidance_of(request.guidance), lora)

    def embeds(self, *prompts: str, lora: LoraSet | None = None) -> list[Tensor]:
        """Embeddings [L, D] of prompts that are used together, in the words that the model knows."""
        known = map(self.words.canonical, prompts) if self.words else prompts
        return self._prompts.encode(*known, lora=lora)

    def latent_shape(self, width: int) -> tuple[int, int, int]:
        """[4, H, W] of the latents for so many columns."""
        return LATENT_CHANNELS, ROWS // self._scale, padded_width(width) // self._scale

    @stage("encode")
    def encode(self, grey: Grey) -> Tensor:
        """Latents [4, H, W] of a picture [512, width], padded to a width that the model can paint."""
        return self._autoencoder.encode(pad(grey, padded_width(grey.shape[1])))

    def progress(self, request: Painted, control: Control, denoisings: Sequence[float]) -> Progress:
        """For a request that paints an image for each of the denoising strengths."""
        calls = [count_calls(*request.sampler, denoising) for denoising in denoisings]
        return Progress(control, sum(calls), Previews(control, self._previewer))

    def paint(
        self, request: Painted, tasks: Sequence[ImageTask], progress: Progress, whole: Whole = side_by_side
    ) -> list[Grey]:
        """The pictures [512, width] of tasks that don't depend on each other, painted side by side.

        Args:
            whole: makes the request's whole picture of theirs, for previews.

        Raises:
            JobError: one of them failed, or the control stopped them; the others leave the batch.
        """
        job, began = next(self._jobs), time.time()
        futures: list[Future[Tensor]] = []
        predictions = progress.previews.begin([task.width for task in tasks], whole)
        try:
            for task, prediction in zip(tasks, predictions, strict=True):
                progress.control.check()
                denoise_request = self._denoise_request(request, task)
                future = self._engine.submit(
                    denoise_request,
                    tenant=job,
                    weight=progress.control.weight,
                    on_step=progress.step,
                    prediction=prediction,
                )
                futures.append(future)
                future.add_done_callback(progress.wake)
            pictures = dict(self._decoded(futures, progress))
        finally:
            for future in futures:
                future.cancel()
            for prediction in predictions:
                record_denoising(began, prediction.batches)
        return [pictures[index][:, : task.width] for index, task in enumerate(tasks)]

    def _decoded(self, futures: Sequence[Future[Tensor]], progress: Progress) -> Iterator[tuple[int, Grey]]:
        """Each picture as soon as its last step is done, while others still run; with its index."""
        pending = dict(enumerate(futures))
        while pending:
            progress.wait()
            for index in [index for index, future in pending.items() if future.done()]:
                latents = pending.pop(index).result()
                with stage("decode"):
                    grey = self._autoencoder.decode(latents)
                progress.previews.finish(index, grey)
                yield index, grey
            progress.previews.update()

    def _denoise_request(self, request: Painted, task: ImageTask) -> DenoiseRequest:
        init = self.encode(task.init) if isinstance(task.init, np.ndarray) else task.init
        return DenoiseRequest(
            prompt_embeds=task.conditioning.prompt,
            negative_prompt_embeds=task.conditioning.negative,
            guidance_scale=task.conditioning.guidance,
            guidance_end=request.guidance_end or 1.0,
            noise=task.noise,
            latent_shape=self.latent_shape(task.width),
            scheduler=request.sampler.scheduler,
            steps=request.sampler.steps,
            denoising=task.denoising,
            init_latents=init,
            mask=self._latent_mask(task.mask, padded_width(task.width)) if task.mask is not None else None,
            lora=task.conditioning.lora,
            timestep_spacing=request.timestep_spacing,
        )

    def _latent_mask(self, mask: Mask, width: int) -> Tensor:
        """[1, H / 8, W / 8]: a latent is painted as strongly as any of its pixels, and in the padding."""
        wide = np.pad(mask, ((0, 0), (0, width - mask.shape[1])), constant_values=True)
        return F.max_pool2d(torch.from_numpy(wide).float()[None], self._scale)
