"""A request to denoise one picture, and its state between two steps of the engine."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.noise import Noise
from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.diffusion.schedulers import Trajectory, guided_calls
from riffusion.diffusion.streams import upload
from riffusion.errors import BrokenPicture
from riffusion.requests import Scheduler, TimestepSpacing


@dataclass(frozen=True, eq=False)
class DenoiseRequest:
    """One picture to denoise. Tensors may be on any device."""

    prompt_embeds: Tensor
    """[L, D]."""
    negative_prompt_embeds: Tensor
    """[L, D] of the negative prompt."""
    guidance_scale: float
    """Classifier-free guidance scale; 1 or less calls the UNet on the prompt alone, at half the cost."""
    guidance_end: float = field(default=1.0, kw_only=True)
    """Share of the steps that are guided, from the first on, above 0 to 1: at least one step. See Kynkäänniemi et al.
    2024, "Applying Guidance in a Limited Interval Improves Sample and Distribution Quality in Diffusion Models"."""
    noise: Noise
    """Used by this request alone: drawing changes its state."""
    latent_shape: tuple[int, int, int]
    """[4, H, W]."""
    scheduler: Scheduler
    steps: int
    """Of a full run; the sampler has limits (`riffusion.requests.samplers`)."""
    denoising: float = 1.0
    """Share of the steps that are run, 0 to 1, where there are `init_latents`."""
    init_latents: Tensor | None = None
    """[4, H, W] of the initial picture."""
    mask: Tensor | None = None
    """[1, H, W], 1 where to denoise and 0 where the initial picture stays; needs `init_latents`. Between them both are
    mixed after each step, as in the original."""
    lora: LoraSet | None = None
    """Applied to the UNet; the embeddings were made with it too."""
    timestep_spacing: TimestepSpacing | None = None
    """None is as the checkpoint's configuration says."""


class Row:
    """A request in the engine's batch: its latents, scheduler and noise.

    Made by the submitter's thread, on the CPU; after that, used by the engine's thread alone, which has it join first.
    """

    latents: Tensor
    """[4, H, W]."""
    prompt_embeds: Tensor
    negative_prompt_embeds: Tensor
    guidance_scale: Tensor
    """A scalar on the device, as all of its tensors: putting a batch together copies nothing from the host."""

    def __init__(
        self,
        request: DenoiseRequest,
        config: Mapping[str, Any],
        on_step: Callable[[], None],
        prediction: RunningPrediction,
    ) -> None:
        """
        Args:
            config: the checkpoint's scheduler configuration.
            on_step: called after each step, once the device has finished it.
            prediction: the submitter's, updated before each `on_step`.
        """
        self.future: Future[Tensor] = Future()
        """The latents [4, H, W] after the last step."""
        self.finished = False
        """Whether it leaves the batch: after its last step, canceled or failed."""
        self.joined = False
        """Whether its tensors are on the device."""
        self.lora = request.lora
        self.predicted: Tensor | None = None
        """The clean latents [4, H, W] that the latest step predicted, if they were asked for."""
        self._on_step, self._prediction = on_step, prediction
        init, mask = request.init_latents, request.mask
        denoising = request.denoising if init is not None else 1.0
        self.trajectory = Trajectory(request.scheduler, config, request.steps, denoising, request.timestep_spacing)
        self._guided_calls = guided_calls(len(self.trajectory), request.guidance_scale, request.guidance_end)
        self._noise_source = request.noise
        given = {
            "noise": request.noise.draw(request.latent_shape),
            "timesteps": self.trajectory.timesteps,
            "guidance_scale": torch.tensor(request.guidance_scale),
            "prompt_embeds": request.prompt_embeds,
            "negative_prompt_embeds": request.negative_prompt_embeds,
            "init_latents": init,
            "mask": mask,
        }
        self._given = {name: tensor for name, tensor in given.items() if tensor is not None}

    def join(self, device: torch.device) -> None:
        """Puts its tensors on the device, and its latents at the first noise level."""
        placed = upload(self._given, device)
        self._given.clear()
        self.prompt_embeds, self.negative_prompt_embeds = placed["prompt_embeds"], placed["negative_prompt_embeds"]
        self.guidance_scale, self._timesteps = placed["guidance_scale"], placed["timesteps"]
        self._noise, self._init_latents, self._mask = placed["noise"], placed.get("init_latents"), placed.get("mask")
        self.latents = self.trajectory.start(self._noise, self._init_latents)
        self.joined = True

    @property
    def cost(self) -> int:
        """Entries that it fills in all its UNet batches: with guidance, two in each."""
        return len(self.trajectory) + self._guided_calls

    @property
    def guided(self) -> bool:
        """Whether the current step is with guidance."""
        return self.trajectory.position < self._guided_calls

    @property
    def timestep(self) -> Tensor:
        """The current timestep, a scalar on the device."""
        return self._timesteps[self.trajectory.position]

    def model_input(self) -> Tensor:
        """Latents [4, H, W], scaled for the UNet."""
        return self.trajectory.model_input(self.latents)

    def advance(self, noise_pred: Tensor) -> None:
        """Takes one step with the UNet's prediction [4, H, W], guidance included."""
        self.predicted = self._predicted(noise_pred) if self._prediction.accept() else None
        self.latents = self.trajectory.step(noise_pred, self.latents, self._noise_source)
        if self._init_latents is not None and self._mask is not None:
            kept = self.trajectory.add_noise(self._init_latents, self._noise)
            self.latents = torch.lerp(kept, self.latents, self._mask)
        self.finished = self.trajectory.done

    def _predicted(self, noise_pred: Tensor) -> Tensor:
        clean = self.trajectory.predict_clean(noise_pred, self.latents)
        if self._init_latents is None or self._mask is None:
            return clean
        return torch.lerp(self._init_latents, clean, self._mask)

    def report(self, *, finite: bool, last: bool, predicted: Tensor | None, work_s: float, rows: int) -> None:
        """Reports a step that the device has finished, and after the last one the latents, to the submitter.

        Args:
            predicted: by that step; see `predicted`.
            work_s: the row's part of its time.
            rows: how many rows shared it.
        """
        if self.future.done():
            self.finished = True
            return
        if not finite:
            self.fail(BrokenPicture("The model's numbers are not finite; another seed or guidance may work."))
            return
        self._prediction.complete(predicted, work_s, rows)
        try:
            self._on_step()
        except Exception as error:  # whatever the submitter's callback raises ends that row alone
            self.fail(error)
            return
        if last and self.future.set_running_or_notify_cancel():
            self.future.set_result(self.latents)

    def fail(self, error: Exception) -> None:
        """Ends the row with an error."""
        self.finished = True
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
