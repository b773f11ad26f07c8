"""The data of a fine-tuning: the latents of a folder's clips, and their captions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.training.data.array_cache import ArrayCache, digest
from riffusion.training.data.audio_folder import Track
from riffusion.training.data.clip_pictures import Pictures, to_input
from riffusion.training.models.unet import LATENT_SHAPE
from riffusion.training.models.weights_digest import weights_digest


@dataclass(frozen=True)
class CaptionedLatents:
    """Clips and their latents."""

    latents: Tensor
    """Scaled latents [N, 4, H, W]."""
    captions: tuple[tuple[str, ...], ...]
    """The wordings of each clip's caption, in the same order."""

    def batch(self, count: int, random: torch.Generator, dropout: float) -> tuple[Tensor, list[str]]:
        """Random latents [count, 4, H, W] and a caption of each clip, empty with probability `dropout`."""
        rows = torch.randint(len(self.latents), (count,), generator=random).tolist()
        draws = torch.rand((count, 2), generator=random).tolist()
        captions = []
        for row, (drop, wording) in zip(rows, draws, strict=True):
            wordings = self.captions[row]
            captions.append("" if drop < dropout else wordings[int(wording * len(wordings))])
        return self.latents[rows], captions

    def first_captions(self) -> list[str]:
        """The first caption of each clip."""
        return [wordings[0] for wordings in self.captions]


def captioned(tracks: Sequence[Track], latents: Sequence[Tensor], *, held_out: bool) -> CaptionedLatents:
    """The clips of the tracks that are held out, or of the others.

    Args:
        latents: [N, 4, H, W] of each track.
    """
    chosen = [each for each in zip(tracks, latents, strict=True) if each[0].held_out is held_out]
    empty = [latents[0][:0]]  # of the right size, where no track is held out
    return CaptionedLatents(
        torch.cat(empty + [own for _, own in chosen]),
        tuple(track.captions for track, _ in chosen for _ in track.pictures),
    )


def cached_latents(parts: Checkpoint, tracks: Sequence[Track], cache: ArrayCache) -> list[Tensor]:
    """Scaled latents [N, 4, 64, 64] float32 of each track's pictures; those that `cache` doesn't have yet are encoded.

    What the cache has besides the pictures and latents of these tracks is deleted.
    """
    encoder = weights_digest(parts.vae), parts.vae.config.scaling_factor
    keys = [digest("latents", track.key, *encoder) for track in tracks]
    latents = [
        torch.from_numpy(np.array(cache.get(key, partial(_encode, parts, track.pictures))))
        for key, track in zip(keys, tracks, strict=True)
    ]
    cache.keep([*keys, *(track.key for track in tracks)])
    return latents


@torch.no_grad()
def _encode(parts: Checkpoint, pictures: Pictures) -> npt.NDArray[np.float32]:
    """Scaled latents [N, 4, 64, 64] of pictures [N, 512, 512], one at a time."""
    latents = [parts.vae.encode(to_input(np.array(each[None])).to(parts.device)).latent_dist.mean for each in pictures]
    scaled = [each.float().cpu() * float(parts.vae.config.scaling_factor) for each in latents]
    return torch.cat(scaled).numpy() if scaled else np.zeros((0, *LATENT_SHAPE), np.float32)
