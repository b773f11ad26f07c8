"""Trains the autoencoder's decoder on, while the encoder, and with it every latent that was made, stays as it is.

First by the same loss as before, on whole frequency ranges of many more pictures. Then a small discriminator of patches
joins in (Isola et al., "Image-to-Image Translation", 2017; hinge loss and balanced weight as in Esser et al., "Taming
Transformers", 2021): means alone smooth noise away, and with it what tells instruments apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor, nn

from riffusion.training.models.ema import WeightAverage
from riffusion.training.models.vae import SCALING_FACTOR, Pictures, reconstruction_loss, to_input

_STRIP = 16  # latent columns of a piece: 128 columns of picture, in the whole range of frequencies
_LATENT_NOISE = 0.05  # in standard deviations: the latents of a UNet are no encoder's exactly
_BESIDE = 0.4  # of the reconstruction's gradient: what the discriminator's may weigh
_JOINS_OVER = 200  # steps over which the discriminator's weight grows


@dataclass(frozen=True)
class EncodedClips:
    """Latents (n, 4, 64, 64) of unit variance and their pictures (n, 512, 512), file by file."""

    latents: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float16]]]
    pictures: Sequence[Pictures]

    def strips(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Latents (count, 4, 64, 16) from random places of random clips, and pictures (count, 3, 512, 128) in ±1."""
        latents, pictures = [], []
        for _ in range(count):
            file = int(rng.integers(len(self.latents)))
            clip, first = int(rng.integers(len(self.latents[file]))), int(rng.integers(64 - _STRIP + 1))
            latents.append(self.latents[file][clip][:, :, first : first + _STRIP])
            pictures.append(self.pictures[file][clip][:, 8 * first : 8 * (first + _STRIP)])
        return torch.from_numpy(np.stack(latents)).float(), to_input(np.stack(pictures))


class PatchDiscriminator(nn.Module):
    """Tells for each patch of a grey picture whether it is real: above 0, or painted."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.GroupNorm(4, 2 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 3, 1, 1),
            nn.GroupNorm(4, 4 * width),
            nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 1, 3, 1, 1),
        )

    def forward(self, grey: Tensor) -> Tensor:
        """(n, 1, h / 4, w / 4) scores of (n, 1, h, w) pictures."""
        with torch.autocast("cpu", torch.bfloat16):
            scores: Tensor = self.layers(grey)
        return scores.float()


class Adversary:
    """A discriminator and its own training."""

    def __init__(self) -> None:
        self._judges = PatchDiscriminator()
        self._optimizer = torch.optim.AdamW(self._judges.parameters(), lr=4e-4, betas=(0.5, 0.9), weight_decay=1e-4)

    def loss(self, painted: Tensor, reconstruction: Tensor, last_layer: Tensor) -> Tensor:
        """How real (n, 1, h, w) pictures look, as heavy as the reconstruction's loss where both meet the last layer."""
        loss = -self._judges(painted).mean()
        pulls = [torch.autograd.grad(each, last_layer, retain_graph=True)[0].norm() for each in (reconstruction, loss)]
        weight = (pulls[0] / (pulls[1] + 1e-4)).clamp_max(100)
        balanced: Tensor = loss * weight.detach()
        return balanced

    def learn(self, real: Tensor, painted: Tensor) -> None:
        """One step towards telling (n, 1, h, w) pictures apart, by the hinge loss."""
        loss = F.relu(1 - self._judges(real)).mean() + F.relu(1 + self._judges(painted.detach())).mean()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()


def train_decoder(
    vae: AutoencoderKL,
    clips: EncodedClips,
    steps: int,
    *,
    rate: float,
    adversarial: bool,
    batch: int = 4,
    seed: int = 0,
    report: Callable[[], object] = lambda: None,
) -> None:
    """Trains the decoder of `vae` in place; what it ends with is an average over its last steps."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    weights = [*vae.post_quant_conv.parameters(), *vae.decoder.parameters()]
    vae.requires_grad_(False)
    for weight in weights:
        weight.requires_grad_(True)
    adversary = Adversary() if adversarial else None
    momentum = (0.5, 0.9) if adversarial else (0.9, 0.99)
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=momentum, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    average = WeightAverage(weights, decay=0.998)
    for step in range(steps):
        latents, target = clips.strips(batch, rng)
        output = _decoded(vae, latents + _LATENT_NOISE * torch.randn_like(latents))
        loss = reconstruction_loss(output, target)
        painted = output.mean(1, keepdim=True)
        if adversary:
            beside = _BESIDE * min(1.0, step / _JOINS_OVER)
            loss = loss + beside * adversary.loss(painted, loss, vae.decoder.conv_out.weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        average.update(weights)
        if adversary:
            adversary.learn(target[:, :1], painted)
        report()
    average.copy_to(weights)


def _decoded(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        output: Tensor = vae.decode(latents / SCALING_FACTOR).sample
    return output.float()
