"""The data of a fine-tuning: the latents of a folder's clips, and their captions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.training.data.audio_folder import AudioFolder, Clip
from riffusion.training.data.clip_pictures import Pictures, to_input


@dataclass(frozen=True)
class CaptionedLatents:
    """Clips and their latents."""

    latents: Tensor
    """Scaled latents [N, 4, H, W], in the order of `clips`."""
    clips: tuple[Clip, ...]

    def batch(self, count: int, random: torch.Generator, dropout: float) -> tuple[Tensor, list[str]]:
        """Random latents [count, 4, H, W] and a caption of each clip, empty with probability `dropout`."""
        rows = torch.randint(len(self.latents), (count,), generator=random).tolist()
        draws = torch.rand((count, 2), generator=random).tolist()
        captions = []
        for row, (drop, wording) in zip(rows, draws, strict=True):
            wordings = self.clips[row].captions
            captions.append("" if drop < dropout else wordings[int(wording * len(wordings))])
        return self.latents[rows], captions

    def first_captions(self) -> list[str]:
        """The first caption of each clip."""
        return [clip.captions[0] for clip in self.clips]


def split(latents: Tensor, folder: AudioFolder) -> tuple[CaptionedLatents, CaptionedLatents]:
    """The clips to train on, and those of held-out tracks, of latents [N, 4, H, W]."""
    parts = []
    for held_out in (False, True):
        rows = [n for n, clip in enumerate(folder.clips) if clip.held_out is held_out]
        parts.append(CaptionedLatents(latents[rows], tuple(folder.clips[n] for n in rows)))
    return parts[0], parts[1]


@torch.no_grad()
def cached_latents(parts: Checkpoint, folder: AudioFolder, cache: Path) -> Tensor:
    """Scaled latents [N, 4, 64, 64] float32 of all pictures, encoded once and then read from the file `cache`."""
    if not cache.exists():
        encoded = [_encode(parts, folder.pictures[n : n + 1]) for n in range(len(folder.pictures))]
        np.save(cache, torch.cat(encoded).numpy())
    return torch.from_numpy(np.load(cache))


def _encode(parts: Checkpoint, pictures: Pictures) -> Tensor:
    latents: Tensor = parts.vae.encode(to_input(np.array(pictures)).to(parts.device)).latent_dist.mean
    return latents.float().cpu() * float(parts.vae.config.scaling_factor)
