"""The way of one row down the noise levels: a scheduler instance of its own, since schedulers keep state."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.libraries import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    PNDMScheduler,
)
from riffusion.diffusion.noise import Noise
from riffusion.requests import Scheduler

# What a checkpoint was trained with, and therefore decides. The rest of its scheduler's configuration belongs to the
# sampler that it was published with, not to the one asked for.
_TRAINED = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
    "set_alpha_to_one",
)
_SAMPLERS: dict[Scheduler, tuple[type[Any], dict[str, Any]]] = {
    "dpm++2m": (DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "ddim": (DDIMScheduler, {"clip_sample": False, "steps_offset": 1}),
    "euler": (EulerDiscreteScheduler, {}),
    "euler-a": (EulerDiscreteScheduler, {}),  # and `_ancestral`
    "pndm": (PNDMScheduler, {"skip_prk_steps": True, "steps_offset": 1}),
}


def _scheduler(name: Scheduler, config: Mapping[str, Any]) -> Any:
    sampler, options = _SAMPLERS[name]
    trained = {key: config[key] for key in _TRAINED if key in config}
    if trained.get("rescale_betas_zero_snr"):
        options = options | {"timestep_spacing": "trailing"}  # such a model has to start at the very last timestep
    return sampler.from_config(trained | options)


def count_calls(name: Scheduler, steps: int, denoising: float = 1.0) -> int:
    """UNet calls of a run of `steps` that is entered late enough to walk the share `denoising` of it; at least 1."""
    walked = _walked(steps, denoising)
    return walked + 1 if name == "pndm" and walked > 1 else walked


def _walked(steps: int, denoising: float) -> int:
    return min(steps, max(1, round(steps * denoising)))


class Trajectory:
    """Where one row is on its way from noise to picture.

    It walks `timesteps` (PNDM's repeat one), each by `model_input`, a UNet call at `timestep`, and `step`. Entering an
    image-to-image schedule late leaves the first part out, but never all of it: at least one call is made.
    """

    def __init__(self, name: Scheduler, config: Mapping[str, Any], steps: int, denoising: float = 1.0) -> None:
        """
        Args:
            steps: of a full run, at least 2 (some samplers divide by steps - 1).
            denoising: the share of the run that is walked, from 0 (its last step alone) to 1.
        """
        if steps < 2:  # noqa: PLR2004
            raise ValueError("a schedule has at least 2 steps")
        self._scheduler = _scheduler(name, config)
        self._scheduler.set_timesteps(steps)
        skipped = steps - _walked(steps, denoising)
        self.timesteps: Tensor = self._entered(name, skipped)
        self.position = 0
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(skipped)
        self._enters_late = skipped > 0
        self._ancestral = name == "euler-a"

    def _entered(self, name: Scheduler, skipped: int) -> Tensor:
        """The timesteps [n] from the entry on, on the CPU.

        PNDM corrects its first step by a second call, for which its schedule names the second timestep twice. Cut in
        the middle, that repetition would be lost, each later call would run one timestep early, and noise would be left
        over: here the second timestep after the entry is repeated instead.
        """
        timesteps: Tensor = self._scheduler.timesteps
        if name != "pndm":
            return timesteps[skipped:]
        unique = torch.cat((timesteps[:1], timesteps[2:]))[skipped:]
        return torch.cat((unique[:2], unique[1:]))

    def __len__(self) -> int:
        return len(self.timesteps)

    @property
    def done(self) -> bool:
        """Whether every timestep is behind."""
        return self.position >= len(self.timesteps)

    @property
    def timestep(self) -> Tensor:
        """The one to call the UNet at now (a scalar on the CPU)."""
        return self.timesteps[self.position]

    def start(self, noise: Tensor, init: Tensor | None) -> Tensor:
        """Latents [4, H, W] to start from: noise alone, or the initial picture's, noised to the entry's level."""
        if init is None or not self._enters_late:
            started: Tensor = noise * self._scheduler.init_noise_sigma
            return started
        return self.noised(init, noise)

    def noised(self, latents: Tensor, noise: Tensor) -> Tensor:
        """Clean latents at the noise level of now; past the last step, as they are."""
        if self.done:
            return latents
        # Asked of the scheduler in two numbers on the CPU: on CUDA its own way would wait for the device at every step.
        basis = torch.eye(2)
        signal, sigma = self._scheduler.add_noise(basis[0], basis[1], self.timestep.expand(2)).tolist()
        noisy: Tensor = latents * signal + noise * sigma
        return noisy

    def model_input(self, latents: Tensor) -> Tensor:
        """The latents as the UNet wants them at this level."""
        scaled: Tensor = self._scheduler.scale_model_input(latents, self.timestep)
        return scaled

    def step(self, prediction: Tensor, latents: Tensor, noise: Noise) -> Tensor:
        """The latents one level down, given what the UNet predicted.

        Args:
            noise: asked by Euler ancestral alone, except before its last step.
        """
        lower: Tensor = self._scheduler.step(prediction, self.timestep, latents, return_dict=False)[0]
        if self._ancestral:
            lower = self._stirred(latents, lower, noise)
        self.position += 1
        return lower

    def _stirred(self, latents: Tensor, lower: Tensor, noise: Noise) -> Tensor:
        """Euler's step made ancestral (Karras et al. 2022, k-diffusion): farther down, then up again by fresh noise.

        diffusers has this as a class, which takes a generator alone: no noise between two seeds, and on CUDA a wait for
        the device at every step.
        """
        index = self._scheduler.step_index
        above, below = (float(sigma) for sigma in self._scheduler.sigmas[index - 1 : index + 1])
        if not below:
            return lower
        up = math.sqrt(below**2 * (above**2 - below**2) / above**2)
        down = math.sqrt(below**2 - up**2)
        fresh = noise.draw(tuple(latents.shape))
        if latents.is_cuda:
            fresh = fresh.pin_memory()
        fresh = fresh.to(latents.device, non_blocking=True)
        return latents + (lower - latents) * ((down - above) / (below - above)) + fresh * up
