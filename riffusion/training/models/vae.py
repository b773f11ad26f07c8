"""The bundled model's autoencoder: Stable Diffusion's class, a few hundred thousand weights, trained on crops."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

SCALING_FACTOR = 0.18215  # Stable Diffusion's: other tools count on it
_CROP = 128
_LATENT_NOISE = 0.08  # in standard deviations: keeps the decoder smooth around every latent
_NO_VARIANCE = -20.0  # log variance of the encoder's distribution: sampling gives its mean

Pictures = npt.NDArray[np.uint8]


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder: 8 times smaller on each side, 4 latent channels, no attention."""
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


def to_input(pictures: Pictures) -> torch.Tensor:
    """(n, 3, h, w) in -1 to 1 from (n, h, w) grey levels."""
    grey = torch.from_numpy(pictures).float() / 127.5 - 1
    return grey[:, None].expand(-1, 3, -1, -1).contiguous()


def to_pictures(images: torch.Tensor) -> Pictures:
    """(n, h, w) grey levels from (n, 3, h, w) in -1 to 1."""
    grey = ((images.float().mean(1) + 1) * 127.5).round().clamp(0, 255)
    levels: Pictures = grey.to(torch.uint8).numpy()
    return levels


def crops(pictures: Pictures, count: int, rng: np.random.Generator) -> Pictures:
    """(count, 128, 128) pieces from random places of random pictures."""
    which = rng.integers(len(pictures), size=count)
    places = rng.integers(pictures.shape[1] - _CROP + 1, size=(count, 2))
    return np.stack([pictures[n, y : y + _CROP, x : x + _CROP] for n, (y, x) in zip(which, places, strict=True)])


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 and L2 of the pixels, and L1 of 4×4 means, which keeps the level of noisy areas."""
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
    """Trains `vae` in place on (n, 512, 512) pictures, and folds its scaling in (see `fold_scaling`)."""
    rng, noise = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    vae.train()
    optimizer = torch.optim.AdamW(vae.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    for step in range(steps):
        target = to_input(crops(pictures, batch, rng))
        # bf16 in the memory's plain layout is the fastest of the four combinations on a CPU.
        with torch.autocast("cpu", torch.bfloat16):
            mean = vae.encode(target).latent_dist.mean
        mean = mean.float()
        spread = mean.std((0, 2, 3))
        # Unit variance and no offset, or the noise below could be outgrown.
        tidy = (spread - 1).square().mean() + mean.mean((0, 2, 3)).square().mean()
        shaken = mean + _LATENT_NOISE * torch.randn(mean.shape, generator=noise)
        with torch.autocast("cpu", torch.bfloat16):
            output = vae.decode(shaken).sample
        loss = reconstruction_loss(output.float(), target) + 0.1 * tidy
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        report(step, float(loss))
    fold_scaling(vae, pictures)


@torch.no_grad()
def fold_scaling(vae: AutoencoderKL, pictures: Pictures) -> None:
    """Rewrites quant_conv and post_quant_conv so that latents × 0.18215 have mean 0 and variance 1 in every channel."""
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
    """(n, 4, 64, 64) latents of unit variance from (n, 512, 512) pictures, one at a time."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = [vae.encode(to_input(picture[None])).latent_dist.mean.float() for picture in pictures]
    return torch.cat(latents) * SCALING_FACTOR


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: torch.Tensor) -> Pictures:
    """(n, 512, 512) pictures from (n, 4, 64, 64) latents of unit variance, one at a time."""
    return np.concatenate([to_pictures(vae.decode(each[None] / SCALING_FACTOR).sample) for each in latents])
