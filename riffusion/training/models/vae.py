"""The bundled model's autoencoder: Stable Diffusion's class with a few hundred thousand weights, trained on crops."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from riffusion.training.data.clip_pictures import Pictures, to_input, to_pictures

SCALING_FACTOR = 0.18215  # Stable Diffusion's, which other tools assume
_CROP = 128
_LATENT_NOISE = 0.08  # in standard deviations of the latents: makes the decoder smooth around every latent
_NO_VARIANCE = -20.0  # log variance of the posterior: a sample is its mean


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: latents of an eighth of each side, 4 channels, no attention."""
    return AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 16, 32, 64),
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
        sample_size=512,
        scaling_factor=SCALING_FACTOR,
        mid_block_add_attention=False,
    )


def crops(pictures: Pictures, count: int, rng: np.random.Generator) -> Pictures:
    """Crops [count, 128, 128] from random places of random pictures [N, H, W]."""
    which = rng.integers(len(pictures), size=count)
    places = rng.integers(pictures.shape[1] - _CROP + 1, size=(count, 2))
    return np.stack([pictures[n, y : y + _CROP, x : x + _CROP] for n, (y, x) in zip(which, places, strict=True)])


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 + L2 of the pixels + L1 of 4×4 means, which keeps the level of noisy areas; images [N, 3, H, W] in ±1."""
    pooled = F.l1_loss(F.avg_pool2d(output, 4), F.avg_pool2d(target, 4))
    return F.l1_loss(output, target) + F.mse_loss(output, target) + pooled


def train_autoencoder(
    vae: AutoencoderKL,
    pictures: Pictures,
    steps: int,
    *,
    batch: int = 8,
    rate: float = 2e-3,
    seed: int = 0,
    report: Callable[[int, float], object] = lambda _step, _loss: None,
) -> None:
    """Trains `vae` in place on pictures [N, 512, 512], then normalises its latents (see `fold_scaling`).

    The loss is `reconstruction_loss` of the decoded, noisy latents + 0.1 · a penalty that keeps each channel of the
    latents at mean 0 and variance 1.

    Args:
        rate: peak learning rate of a one-cycle schedule.
        report: called with the number and the loss of each step.
    """
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    vae.train()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    for step in range(steps):
        target = to_input(crops(pictures, batch, rng))
        # On a CPU, bf16 in the default memory layout is the fastest of the four combinations.
        with torch.autocast("cpu", torch.bfloat16):
            mean = vae.encode(target).latent_dist.mean
        mean = mean.float()
        spread = mean.std((0, 2, 3))
        # Without this, larger latents would make the noise below ineffective.
        scale_penalty = (spread - 1).square().mean() + mean.mean((0, 2, 3)).square().mean()
        noisy = mean + _LATENT_NOISE * torch.randn(mean.shape, generator=noise)
        with torch.autocast("cpu", torch.bfloat16):
            output = vae.decode(noisy).sample
        loss = reconstruction_loss(output.float(), target) + 0.1 * scale_penalty
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        report(step, float(loss))
    fold_scaling(vae, pictures)


@torch.no_grad()
def fold_scaling(vae: AutoencoderKL, pictures: Pictures) -> None:
    """Rewrites quant_conv and post_quant_conv so that scaled latents have mean 0 and variance 1 in every channel.

    Measured on about 64 of the pictures [N, H, W]. Reconstructions stay the same; the posterior's variance becomes 0.
    """
    vae.eval()
    sample = pictures[:: max(1, len(pictures) // 64)]
    means = torch.cat([vae.encode(to_input(sample[n : n + 4])).latent_dist.mean for n in range(0, len(sample), 4)])
    offset, spread = means.mean((0, 2, 3)), means.std((0, 2, 3))
    gain = 1 / (spread * SCALING_FACTOR)
    entry, exit_ = vae.quant_conv, vae.post_quant_conv
    entry.weight[:4] *= gain[:, None, None, None]
    entry.bias[:4] = (entry.bias[:4] - offset) * gain
    entry.weight[4:] = 0
    entry.bias[4:] = _NO_VARIANCE
    exit_.bias += (exit_.weight[:, :, 0, 0] * offset).sum(1)
    exit_.weight /= gain[None, :, None, None]


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: Pictures) -> torch.Tensor:
    """Scaled latents [N, 4, H / 8, W / 8] of pictures [N, H, W], encoded one at a time."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = [vae.encode(to_input(picture[None])).latent_dist.mean.float() for picture in pictures]
    return torch.cat(latents) * SCALING_FACTOR


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: torch.Tensor) -> Pictures:
    """Pictures [N, 8 · H, 8 · W] of scaled latents [N, 4, H, W], decoded one at a time."""
    return np.concatenate([to_pictures(vae.decode(each[None] / SCALING_FACTOR).sample) for each in latents])
