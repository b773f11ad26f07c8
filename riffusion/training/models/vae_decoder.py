"""Further training of the autoencoder's decoder. The encoder is frozen, so existing latents stay valid.

The first part has the same loss as before, on the whole frequency range of many more pictures. In the second a small
patch discriminator is added (Isola et al., "Image-to-Image Translation", 2017; hinge loss and adaptive weight as in
Esser et al., "Taming Transformers", 2021): a mean error alone smooths away noise, and with it what distinguishes
instruments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor, nn

from riffusion.training.data.clip_pictures import Pictures, to_input
from riffusion.training.models.ema import WeightAverage
from riffusion.training.models.vae import SCALING_FACTOR, reconstruction_loss

_STRIP = 16  # latent columns of a training sample: 128 columns of the picture, in full height
_LATENT_NOISE = 0.05  # in standard deviations: a UNet's latents differ a little from an encoder's
_ADVERSARIAL_WEIGHT = 0.4  # of the discriminator's gradient, relative to the reconstruction's
_ADVERSARIAL_WARMUP = 200  # steps over which that weight grows from 0


@dataclass(frozen=True)
class EncodedClips:
    """Clips as latents and pictures, in several files."""

    latents: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float16]]]
    """Scaled latents [N, 4, 64, 64] of each file."""
    pictures: Sequence[Pictures]
    """[N, 512, 512] of each file."""

    def strips(self, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Latents [count, 4, 64, 16] from random places of random clips, and images [count, 3, 512, 128] in ±1."""
        latents, pictures = [], []
        for _ in range(count):
            file = int(rng.integers(len(self.latents)))
            clip, first = int(rng.integers(len(self.latents[file]))), int(rng.integers(64 - _STRIP + 1))
            latents.append(self.latents[file][clip][:, :, first : first + _STRIP])
            pictures.append(self.pictures[file][clip][:, 8 * first : 8 * (first + _STRIP)])
        return torch.from_numpy(np.stack(latents)).float(), to_input(np.stack(pictures))


class PatchDiscriminator(nn.Module):
    """Scores each patch of a grey picture: above 0 for real ones, below for decoded ones."""

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
        """Scores [N, 1, H / 4, W / 4] of pictures [N, 1, H, W] in ±1."""
        with torch.autocast("cpu", torch.bfloat16):
            scores: Tensor = self.layers(grey)
        return scores.float()


class Adversary:
    """A discriminator with its optimizer."""

    def __init__(self) -> None:
        self.discriminator = PatchDiscriminator()
        self._optimizer = torch.optim.AdamW(
            self.discriminator.parameters(), lr=4e-4, betas=(0.5, 0.9), weight_decay=1e-4
        )

    def loss(self, decoded: Tensor, reconstruction: Tensor, last_layer: Tensor) -> Tensor:
        """The adversarial loss of decoded pictures [N, 1, H, W], weighted like the reconstruction's loss.

        The weight (Esser et al. 2021, λ) is the ratio of both losses' gradient norms at the decoder's last layer.

        Args:
            reconstruction: the reconstruction's loss.
            last_layer: the weights of the decoder's last layer.
        """
        loss = -self.discriminator(decoded).mean()
        gradients = [
            torch.autograd.grad(each, last_layer, retain_graph=True)[0].norm() for each in (reconstruction, loss)
        ]
        weight = (gradients[0] / (gradients[1] + 1e-4)).clamp_max(100)
        balanced: Tensor = loss * weight.detach()
        return balanced

    def train_step(self, real: Tensor, decoded: Tensor) -> None:
        """Trains the discriminator one step on real and decoded pictures [N, 1, H, W], with the hinge loss."""
        loss = F.relu(1 - self.discriminator(real)).mean() + F.relu(1 + self.discriminator(decoded.detach())).mean()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()


@dataclass(frozen=True)
class Decoder:
    """A part of an autoencoder that can be trained further."""

    decode: Callable[[Tensor], Tensor]
    """Images [N, 3, 8 · H, 8 · W] in ±1 of scaled latents [N, 4, H, W]."""
    weights: Sequence[nn.Parameter]
    """All that are trained."""
    last_layer: nn.Parameter
    """The weights of the last layer, one of them."""


def decoder_of(vae: AutoencoderKL) -> Decoder:
    """The decoder of `vae`, of which nothing else is trained."""
    vae.requires_grad_(False)
    weights = [*vae.post_quant_conv.parameters(), *vae.decoder.parameters()]
    return Decoder(lambda latents: vae.decode(latents / SCALING_FACTOR).sample, weights, vae.decoder.conv_out.weight)


def train_decoder(
    decoder: Decoder,
    clips: EncodedClips,
    steps: int,
    *,
    rate: float,
    adversarial: bool,
    batch: int = 4,
    seed: int = 0,
    report: Callable[[], object] = lambda: None,
) -> None:
    """Trains a decoder in place; the result is the moving average of its weights.

    Args:
        rate: peak learning rate of a one-cycle schedule.
        adversarial: adds the discriminator's loss.
        report: called after each step.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    weights = decoder.weights
    for parameter in weights:
        parameter.requires_grad_(True)
    adversary = Adversary() if adversarial else None
    momentum = (0.5, 0.9) if adversarial else (0.9, 0.99)
    optimizer = torch.optim.AdamW(weights, lr=rate, betas=momentum, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.05)
    average = WeightAverage(weights, decay=0.998)
    for step in range(steps):
        latents, target = clips.strips(batch, rng)
        with torch.autocast("cpu", torch.bfloat16):
            output = decoder.decode(latents + _LATENT_NOISE * torch.randn_like(latents))
        output = output.float()
        loss = reconstruction_loss(output, target)
        decoded = output.mean(1, keepdim=True)
        if adversary:
            weight = _ADVERSARIAL_WEIGHT * min(1.0, step / _ADVERSARIAL_WARMUP)
            loss = loss + weight * adversary.loss(decoded, loss, decoder.last_layer)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        average.update(weights)
        if adversary:
            adversary.train_step(target[:, :1], decoded)
        report()
    average.copy_to(weights)
