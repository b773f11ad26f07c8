"""One row's way through the noise levels, with a scheduler instance of its own, since schedulers keep state.

The samplers are DDIM (Song et al. 2020), PNDM (Liu et al. 2022), DPM-Solver++ 2M (Lu et al. 2022) and Euler, plain and
ancestral (Karras et al. 2022), as diffusers implements them.
"""

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
from riffusion.diffusion.streams import upload
from riffusion.requests import Scheduler

# The part of a checkpoint's scheduler configuration that describes its training. The rest belongs to the sampler that
# the checkpoint was published with, not to the requested one.
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
    "euler-a": (EulerDiscreteScheduler, {}),  # with `_ancestral_step`
    "pndm": (PNDMScheduler, {"skip_prk_steps": True, "steps_offset": 1}),
}


def _scheduler(name: Scheduler, config: Mapping[str, Any]) -> Any:
    sampler, options = _SAMPLERS[name]
    trained = {key: config[key] for key in _TRAINED if key in config}
    if trained.get("rescale_betas_zero_snr"):
        options = options | {"timestep_spacing": "trailing"}  # such a model has to start at the last timestep
    return sampler.from_config(trained | options)


def count_calls(name: Scheduler, steps: int, denoising: float = 1.0) -> int:
    """UNet calls, at least 1, of a run that takes the share `denoising` (0 to 1) of its steps."""
    taken = _taken_steps(steps, denoising)
    return taken + 1 if name == "pndm" and taken > 1 else taken


def _taken_steps(steps: int, denoising: float) -> int:
    return min(steps, max(1, round(steps * denoising)))


class Trajectory:
    """One row's position on the way from noise to picture.

    Each of `timesteps` (PNDM's repeat one) takes `model_input`, a UNet call at `timestep`, and `step`. Image-to-image
    enters the schedule late and skips its first part, but never all of it: at least one call is made.
    """

    def __init__(self, name: Scheduler, config: Mapping[str, Any], steps: int, denoising: float = 1.0) -> None:
        """
        Args:
            config: the checkpoint's scheduler configuration.
            steps: of a full run, at least 2 (some samplers divide by steps - 1).
            denoising: the share of the run's steps that are taken, from 0 (the last step alone) to 1.
        """
        if steps < 2:  # noqa: PLR2004
            raise ValueError("a schedule has at least 2 steps")
        self._scheduler = _scheduler(name, config)
        self._scheduler.set_timesteps(steps)
        skipped = steps - _taken_steps(steps, denoising)
        self.timesteps: Tensor = self._timesteps_from(name, skipped)
        """[n] on the CPU, from the entry on."""
        self.position = 0
        """Index of the current timestep."""
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(skipped)
        self._enters_late = skipped > 0
        self._ancestral = name == "euler-a"

    def _timesteps_from(self, name: Scheduler, skipped: int) -> Tensor:
        """The scheduler's timesteps [n] without the first `skipped`, on the CPU.

        PNDM corrects its first step by a second call, for which its schedule has the second timestep twice. Cut in the
        middle, the schedule would lose that repetition: each later call would run one timestep early, and noise would
        remain in the picture. So the second timestep after the entry is repeated instead.
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
        """Whether all steps have been taken."""
        return self.position >= len(self.timesteps)

    @property
    def timestep(self) -> Tensor:
        """The current timestep, to call the UNet at: a scalar on the CPU."""
        return self.timesteps[self.position]

    def start(self, noise: Tensor, init_latents: Tensor | None) -> Tensor:
        """Latents [4, H, W] to start from: noise alone, or the initial picture's with noise of the entry's level."""
        if init_latents is None or not self._enters_late:
            started: Tensor = noise * self._scheduler.init_noise_sigma
            return started
        return self.add_noise(init_latents, noise)

    def add_noise(self, latents: Tensor, noise: Tensor) -> Tensor:
        """Clean latents [4, H, W] with noise of the current level; after the last step, the latents unchanged."""
        if self.done:
            return latents
        # The scheduler's two factors are read on the CPU: its own `add_noise` would make CUDA wait at every step.
        basis = torch.eye(2)
        signal, sigma = self._scheduler.add_noise(basis[0], basis[1], self.timestep.expand(2)).tolist()
        noisy: Tensor = latents * signal + noise * sigma
        return noisy

    def model_input(self, latents: Tensor) -> Tensor:
        """Latents [4, H, W], scaled for the UNet at the current timestep."""
        scaled: Tensor = self._scheduler.scale_model_input(latents, self.timestep)
        return scaled

    def step(self, noise_pred: Tensor, latents: Tensor, noise: Noise) -> Tensor:
        """Takes a step: the latents [4, H, W] one noise level down.

        Args:
            noise_pred: the UNet's prediction [4, H, W], of noise or velocity as the checkpoint was trained.
            noise: drawn from by Euler ancestral alone, at every step but its last.
        """
        prev_sample: Tensor = self._scheduler.step(noise_pred, self.timestep, latents, return_dict=False)[0]
        if self._ancestral:
            prev_sample = self._ancestral_step(latents, prev_sample, noise)
        self.position += 1
        return prev_sample

    def _ancestral_step(self, latents: Tensor, prev_sample: Tensor, noise: Noise) -> Tensor:
        """Euler's step made ancestral (Karras et al. 2022, k-diffusion): farther down, then up again by fresh noise.

        With σ the noise level before the step and σ' the one after it,
        σ_up = σ' · √(σ² - σ'²) / σ and σ_down = √(σ'² - σ_up²).
        diffusers' EulerAncestralDiscreteScheduler takes a generator alone: it can't blend the noise of two seeds, and
        makes CUDA wait at every step.
        """
        index = self._scheduler.step_index
        sigma, sigma_next = (float(each) for each in self._scheduler.sigmas[index - 1 : index + 1])
        if not sigma_next:
            return prev_sample
        sigma_up = math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2)
        sigma_down = math.sqrt(sigma_next**2 - sigma_up**2)
        fresh = upload({"noise": noise.draw(tuple(latents.shape))}, latents.device)["noise"]
        down_step = (prev_sample - latents) * ((sigma_down - sigma) / (sigma_next - sigma))
        return latents + down_step + fresh * sigma_up
