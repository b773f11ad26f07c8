"""The loss of a fine-tuning, of noise or of velocity, with min-SNR weights where asked for."""

from dataclasses import dataclass

import torch.nn.functional as F
from diffusers import DDPMScheduler
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.errors import CheckpointUnavailable


@dataclass(frozen=True)
class Objective:
    """What a checkpoint's UNet is trained to predict, and how much each timestep counts."""

    schedule: DDPMScheduler
    """The noise levels; `prediction_type` is "epsilon" or "v_prediction"."""
    min_snr_gamma: float | None = None

    def target(self, clean: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """The noise, or the velocity √ᾱ · noise - √(1 - ᾱ) · clean (Salimans and Ho 2022), [N, C, H, W]."""
        if self.schedule.config.prediction_type == "epsilon":
            return noise
        velocity: Tensor = self.schedule.get_velocity(clean, noise, timesteps)
        return velocity

    def weights(self, timesteps: Tensor, gamma: float) -> Tensor:
        """Min-SNR weights [N], with SNR = ᾱ / (1 - ᾱ) (Hang et al. 2023, "Efficient Diffusion Training via Min-SNR").

        On the error of the clean latents, the weight is min(SNR, γ). The squared error of the noise is SNR times that
        one, the velocity's SNR + 1 times; so theirs are min(SNR, γ) / SNR, which is min(1, γ / SNR), and
        min(SNR, γ) / (SNR + 1).
        """
        alphas_cumprod: Tensor = self.schedule.alphas_cumprod[timesteps]
        snr = alphas_cumprod / (1 - alphas_cumprod)
        if self.schedule.config.prediction_type == "epsilon":
            return (gamma / snr).clamp_max(1)
        return snr.clamp_max(gamma) / (snr + 1)

    def loss(self, noise_pred: Tensor, target: Tensor, timesteps: Tensor) -> Tensor:
        """The mean of the squared error of [N, C, H, W], weighted by each row's timestep [N]."""
        if self.min_snr_gamma is None:
            return F.mse_loss(noise_pred, target)
        weights = self.weights(timesteps, self.min_snr_gamma).to(target)
        return (weights * F.mse_loss(noise_pred, target, reduction="none").mean((1, 2, 3))).mean()


def objective_of(checkpoint: Checkpoint, min_snr_gamma: float | None) -> Objective:
    """How the checkpoint was trained.

    Raises:
        CheckpointUnavailable: it predicts neither noise nor velocity.
    """
    schedule = DDPMScheduler.from_config(checkpoint.scheduler_config, clip_sample=False)
    kind = schedule.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise CheckpointUnavailable(
            f"The model predicts {kind!r}; only models that predict epsilon or v_prediction can be fine-tuned."
        )
    return Objective(schedule, min_snr_gamma)
