"""One picture on its way through the engine."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.lora import LoraSet
from riffusion.diffusion.noise import Noise
from riffusion.diffusion.schedulers import Trajectory
from riffusion.errors import BrokenPicture
from riffusion.requests import Scheduler


@dataclass(frozen=True, eq=False)
class Painting:
    """What one row is to paint. Tensors may be on any device."""

    prompt: Tensor
    """Embedding [L, D]."""
    negative: Tensor
    """Embedding [L, D] of what to steer away from."""
    guidance: float
    """Classifier-free guidance scale; 1 or less runs the UNet on the prompt alone, at half the price."""
    noise: Noise
    """Of this row alone: drawing changes it."""
    shape: tuple[int, int, int]
    """Of the latents: [4, H, W]."""
    scheduler: Scheduler
    steps: int
    denoising: float = 1.0
    """Share of the steps to walk, when there is an initial picture."""
    init: Tensor | None = None
    """Latents [4, H, W] of the initial picture."""
    mask: Tensor | None = None
    """[1, H, W], 1 where to paint and 0 where the initial picture stays; needs `init`."""
    lora: LoraSet | None = None
    """What the UNet wears meanwhile; the embeddings were made with it, too."""


class Row:
    """The state of a painting between two steps; the engine's thread alone touches it after submission."""

    def __init__(
        self, painting: Painting, config: Mapping[str, Any], device: torch.device, on_step: Callable[[], None]
    ) -> None:
        self.future: Future[Tensor] = Future()
        self.left = False
        self.lora = painting.lora
        self._on_step = on_step
        late = painting.init is not None
        self.trajectory = Trajectory(painting.scheduler, config, painting.steps, painting.denoising if late else 1.0)
        self._source = painting.noise
        self._noise = painting.noise.draw(painting.shape).to(device)
        self._init = painting.init.to(device, torch.float32) if painting.init is not None else None
        self._mask = painting.mask.to(device, torch.float32) if painting.mask is not None else None
        self.latents = self.trajectory.start(self._noise, self._init)
        self.guided = painting.guidance > 1
        # On the device from the start, so that putting a batch together copies nothing to it.
        self.prompt = painting.prompt.to(device)
        self.negative = painting.negative.to(device)
        self.guidance = torch.tensor(painting.guidance, device=device)
        self._timesteps = self.trajectory.timesteps.to(device, torch.float32)

    @property
    def places(self) -> int:
        """How many of the UNet call's pictures this row is."""
        return 2 if self.guided else 1

    @property
    def cost(self) -> int:
        """Pictures that the UNet will paint for it in all."""
        return self.places * len(self.trajectory)

    @property
    def timestep(self) -> Tensor:
        """A scalar on the device."""
        return self._timesteps[self.trajectory.position]

    def model_input(self) -> Tensor:
        """Latents [4, H, W] as the UNet wants them."""
        return self.trajectory.model_input(self.latents)

    def advance(self, prediction: Tensor) -> None:
        """Takes the step for which the UNet, guidance included, predicted [4, H, W]."""
        self.latents = self.trajectory.step(prediction, self.latents, self._source)
        if self._init is not None and self._mask is not None:
            kept = self.trajectory.noised(self._init, self._noise)
            self.latents = torch.lerp(kept, self.latents, self._mask)
        self.left = self.trajectory.done

    def report(self, finite: bool, last: bool) -> None:
        """Tells the submitter of a step that the device has finished, and of the picture after the last one."""
        if self.future.done():
            self.left = True
            return
        if not finite:
            self.fail(BrokenPicture("The model's numbers are not finite; another seed or guidance may work."))
            return
        try:
            self._on_step()
        except Exception as error:  # whatever the submitter's callback raises is that row's end alone
            self.fail(error)
            return
        if last and self.future.set_running_or_notify_cancel():
            self.future.set_result(self.latents)

    def fail(self, error: Exception) -> None:
        """Leaves without a picture."""
        self.left = True
        if not self.future.done() and self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)
