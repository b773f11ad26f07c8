"""What the student learns: to take several of the teacher's steps in one of Euler's, without guidance.

This is the target of progressive distillation (Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of
Diffusion Models"), with the guidance in it (Meng et al. 2023, "On Distillation of Guided Diffusion Models") and all
halvings of the number of steps at once: the teacher's points are known, so no student has to be the next one's teacher.
Within one of the student's steps it is the trajectory, not its end, that is learned, as in phased consistency models
(Wang et al. 2024): the same noise gives the same picture as the teacher's, almost.

The loss is the mean squared error of velocities, whatever the model predicts, so that no noise level outweighs the
others: an error of predicted noise counts 200 times as much for the clean latents at the last timestep as at the first.
"""

import torch
from torch import Tensor


def velocity_of_jump(start: Tensor, end: Tensor, alphas_cumprod: Tensor, alphas_cumprod_end: Tensor) -> Tensor:
    """The velocity [N, 4, H, W] with which one step of Euler, or of DDIM, leads from `start` exactly to `end`.

    With α = √ᾱ and σ = √(1 - ᾱ), such a step from t to s is x_s = α_s · x + σ_s · ε, with x_t = α_t · x + σ_t · ε. So
    the clean latents are x = (x_s - r · x_t) / (α_s - r · α_t), r = σ_s / σ_t, and the velocity is α_t · ε - σ_t · x.

    Args:
        alphas_cumprod: ᾱ at the start [N]; `alphas_cumprod_end`, at the end, is larger, and 1 for clean latents.
    """
    alpha, sigma = _factors(alphas_cumprod)
    alpha_end, sigma_end = _factors(alphas_cumprod_end)
    ratio = sigma_end / sigma
    clean = (end - ratio * start) / (alpha_end - ratio * alpha)
    noise = (start - alpha * clean) / sigma
    return alpha * noise - sigma * clean


def velocity_of(prediction: Tensor, latents: Tensor, alphas_cumprod: Tensor, prediction_type: str) -> Tensor:
    """A prediction [N, 4, H, W] as velocity. Of noise ε it is (ε - σ · x_t) / α."""
    if prediction_type == "v_prediction":
        return prediction
    alpha, sigma = _factors(alphas_cumprod)
    return (prediction - sigma * latents) / alpha


def _factors(alphas_cumprod: Tensor) -> tuple[Tensor, Tensor]:
    """α and σ [N, 1, 1, 1]."""
    alphas_cumprod = alphas_cumprod.view(-1, 1, 1, 1)
    return torch.sqrt(alphas_cumprod), torch.sqrt(1 - alphas_cumprod)
