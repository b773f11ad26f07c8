"""One row's way through the noise levels, with a scheduler instance of its own, since schedulers keep state.

diffusers' schedulers draw noise from a generator alone; here a sampler's noise may also be between two seeds.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from riffusion.diffusion.new_scheduler import new_scheduler
from riffusion.diffusion.noise import Noise
from riffusion.diffusion.streams import upload
from riffusion.requests import Scheduler, TimestepSpacing
from riffusion.requests.samplers import DISTILLED_STEPS, FEW_STEP, step_limits

_STOCHASTIC: frozenset[Scheduler] = FEW_STEP | {"euler-a"}
_ANY_TIMESTEPS: frozenset[Scheduler] = frozenset(("dpm++2m", "euler", "euler-a"))
_LEAST_SIGNAL = 1e-3  # of a schedule that ends in pure noise, from which no picture follows
_TCD_GAMMA = 0.3  # share of a step that is fresh noise's (the paper's γ, diffusers' eta): its default


def count_calls(name: Scheduler, steps: int, denoising: float = 1.0) -> int:
    """UNet calls, at least 1, of a run that takes the share `denoising` (0 to 1) of its steps."""
    taken = _taken_steps(steps, denoising)
    return taken + 1 if name == "pndm" and taken > 1 else taken


def guided_calls(calls: int, guidance: float, guidance_end: float) -> int:
    """How many of a run's UNet calls, from the first on, are guided.

    None at a scale of 1 or less; else at least 1, of a run that ends guidance after this share (above 0 to 1) of them.
    """
    return max(1, math.floor(calls * guidance_end + 0.5)) if guidance > 1 else 0


def _taken_steps(steps: int, denoising: float) -> int:
    return min(steps, max(1, round(steps * denoising)))


class Trajectory:
    """One row's position on the way from noise to picture.

    Each of `timesteps` (PNDM's repeat one) takes `model_input`, a UNet call at `timestep`, and `step`. Image-to-image
    enters the schedule late and skips its first part, but never all of it: at least one call is made.
    """

    def __init__(
        self,
        name: Scheduler,
        config: Mapping[str, Any],
        steps: int,
        denoising: float = 1.0,
        spacing: TimestepSpacing | None = None,
    ) -> None:
        """
        Args:
            config: the checkpoint's scheduler configuration.
            steps: of a full run, within `step_limits`.
            denoising: the share of the run's steps that are taken, from 0 (the last step alone) to 1.
            spacing: of the timesteps; None is as the checkpoint says. LCM and TCD have their own.
        """
        fewest, most = step_limits(name)
        if not fewest <= steps <= most:
            raise ValueError(f"a schedule of {name} has {fewest} to {most} steps")
        self._name = name
        self._scheduler = new_scheduler(name, config, spacing)
        taken = _taken_steps(steps, denoising)
        exact = name in _ANY_TIMESTEPS and self._scheduler.config.timestep_spacing == "trailing" and denoising < 1
        self._enters_late = taken < steps or exact
        if name in FEW_STEP:
            self.timesteps: Tensor = self._distilled_timesteps(taken, denoising)
            """[n] on the CPU, from the entry on."""
        elif exact:
            self.timesteps = self._trailing_timesteps(taken, denoising)
        else:
            self._scheduler.set_timesteps(steps)
            self.timesteps = self._timesteps_from(name, steps - taken)
        if hasattr(self._scheduler, "set_begin_index"):
            self._scheduler.set_begin_index(0 if name in FEW_STEP or exact else steps - taken)
        self.position = 0
        """Index of the current timestep."""

    def _distilled_timesteps(self, taken: int, denoising: float) -> Tensor:
        """Timesteps [taken] on the CPU, evenly from the entry's noise level on.

        With so few steps, skipping the first would leave few levels to enter at: of 4 steps, 0.9 would round to all of
        them. So the entry is chosen among the 50 timesteps that such models are distilled on, as diffusers'
        `LatentConsistencyModelImg2ImgPipeline` does, and only the number of steps is rounded.
        """
        levels = max(taken, round(DISTILLED_STEPS * denoising))
        self._enters_late = levels < DISTILLED_STEPS
        # The scheduler truncates strength times steps, which may lie just below a whole number.
        self._scheduler.set_timesteps(taken, strength=(levels + 0.5) / DISTILLED_STEPS)
        timesteps: Tensor = self._scheduler.timesteps
        return timesteps

    def _trailing_timesteps(self, taken: int, denoising: float) -> Tensor:
        """Timesteps [taken] on the CPU, at equal distances from the entry to 0.

        Those of a full run, where steps × denoising is a whole number; else the entry isn't rounded to one of theirs.
        """
        levels = max(taken, round(self._scheduler.config.num_train_timesteps * denoising))
        self._scheduler.set_timesteps(timesteps=[round(levels * (taken - n) / taken) - 1 for n in range(taken)])
        timesteps: Tensor = self._scheduler.timesteps
        return timesteps

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
        signal, sigma = self._noise_level()
        noisy: Tensor = latents * signal + noise * sigma
        return noisy

    def predict_clean(self, noise_pred: Tensor, latents: Tensor) -> Tensor:
        """The clean latents x₀ [4, H, W] that follow from the UNet's prediction for latents x at the current timestep.

        With x = α · x₀ + σ · ε, x₀ = (x - σ · ε) / α. Of a velocity v, defined where α² + σ² = 1 (Salimans and Ho
        2022), x₀ = α · x - σ · v; Euler's latents are scaled to that first.
        """
        signal, sigma = self._noise_level()
        if self._scheduler.config.prediction_type == "v_prediction":
            norm = math.hypot(signal, sigma)
            return latents * (signal / norm**2) - noise_pred * (sigma / norm)
        return (latents - noise_pred * sigma) / max(signal, _LEAST_SIGNAL)

    def _noise_level(self) -> tuple[float, float]:
        """The factors α of the clean latents and σ of the noise at the current timestep.

        They are read on the CPU: the scheduler's own `add_noise` would make CUDA wait.
        """
        basis = torch.eye(2)
        signal, sigma = self._scheduler.add_noise(basis[0], basis[1], self.timestep.expand(2)).tolist()
        return signal, sigma

    def model_input(self, latents: Tensor) -> Tensor:
        """Latents [4, H, W], scaled for the UNet at the current timestep."""
        scaled: Tensor = self._scheduler.scale_model_input(latents, self.timestep)
        return scaled

    def step(self, noise_pred: Tensor, latents: Tensor, noise: Noise) -> Tensor:
        """Takes a step: the latents [4, H, W] one noise level down.

        Args:
            noise_pred: the UNet's prediction [4, H, W], of noise or velocity as the checkpoint was trained.
            noise: drawn from by Euler ancestral, LCM and TCD, at every step but the last.
        """
        options = {"eta": _TCD_GAMMA} if self._name == "tcd" else {}
        made: tuple[Tensor, ...] = self._scheduler.step(
            noise_pred, self.timestep, latents, **options, return_dict=False
        )
        self.position += 1
        if self.done or self._name not in _STOCHASTIC:
            return made[0]
        fresh = upload({"noise": noise.draw(tuple(latents.shape))}, latents.device)["noise"]
        if self._name == "lcm":  # its second result is the clean picture
            return self.add_noise(made[1], fresh)
        if self._name == "tcd":
            return self._tcd_step(made[1], fresh)
        return self._ancestral_step(latents, made[0], fresh)

    def _tcd_step(self, pred_noised_sample: Tensor, fresh: Tensor) -> Tensor:
        """TCD's prediction, at a timestep s below the next one t, noised up to t (Zheng et al. 2024, algorithm 4).

        With ᾱ the schedule's cumulative product and s = ⌊(1 - γ) · t⌋, x_t = √(ᾱ_t / ᾱ_s) · x_s + √(1 - ᾱ_t / ᾱ_s) · z.
        """
        alphas_cumprod = self._scheduler.alphas_cumprod
        below = torch.floor((1 - _TCD_GAMMA) * self.timestep).long()
        ratio = alphas_cumprod[self.timestep] / alphas_cumprod[below]
        return pred_noised_sample * float(ratio.sqrt()) + fresh * float((1 - ratio).sqrt())

    def _ancestral_step(self, latents: Tensor, prev_sample: Tensor, fresh: Tensor) -> Tensor:
        """Euler's step made ancestral (Karras et al. 2022, k-diffusion): farther down, then up again by fresh noise.

        With σ the noise level before the step and σ' the one after it,
        σ_up = σ' · √(σ² - σ'²) / σ and σ_down = √(σ'² - σ_up²).
        """
        index = self._scheduler.step_index
        sigma, sigma_next = (float(each) for each in self._scheduler.sigmas[index - 1 : index + 1])
        sigma_up = math.sqrt(sigma_next**2 * (sigma**2 - sigma_next**2) / sigma**2)
        sigma_down = math.sqrt(sigma_next**2 - sigma_up**2)
        down_step = (prev_sample - latents) * ((sigma_down - sigma) / (sigma_next - sigma))
        return latents + down_step + fresh * sigma_up
