"""The teacher's trajectories, on disk.

They are computed before the training, in batches. Of each pair of batches with the same captions, one starts at noise,
as text-to-audio does, and one at clips with noise of a random level, as image-to-image does at a strength below 1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from riffusion.training.data.array_files import save_array, saved_array
from riffusion.training.distillation.data import DistillationData
from riffusion.training.distillation.solver import Solver
from riffusion.training.finetuning.caption_embeds import EncodeCaptions
from riffusion.training.models.unet import LATENT_SHAPE

BATCH = 8  # trajectories of a file
_LEAST_STRENGTH = 0.2  # of trajectories that start at clips
_EMPTY_CAPTIONS = 0.05  # share


@dataclass(frozen=True)
class Starts:
    """Where a batch of trajectories starts."""

    captions: Sequence[str]
    rows: Sequence[int]
    """Of the data."""
    noise: Tensor
    """[BATCH, 4, 64, 64]."""
    strength: float
    """1 from noise alone."""


class Trajectories:
    """Numbered files of trajectories. Where those of a number start follows from the seed and the number alone."""

    def __init__(self, folder: Path, data: DistillationData, teacher: Solver, seed: int) -> None:
        self.folder, self.data, self.teacher, self.seed = folder, data, teacher, seed

    def starts(self, number: int) -> Starts:
        """Where the trajectories of this number start; 2 n and 2 n + 1 have the same captions."""
        pair = np.random.default_rng([self.seed, number // 2])
        rows = pair.integers(len(self.data.captions), size=BATCH).tolist()
        captions = [
            "" if pair.random() < _EMPTY_CAPTIONS else str(pair.choice(list(self.data.captions[row]))) for row in rows
        ]
        own = np.random.default_rng([self.seed, number // 2, number % 2])
        noise = torch.from_numpy(own.standard_normal((BATCH, *LATENT_SHAPE), dtype=np.float32))
        return Starts(captions, rows, noise, float(own.uniform(_LEAST_STRENGTH, 1)) if number % 2 else 1.0)

    def clean(self, number: int) -> Tensor | None:
        """The clips [BATCH, 4, H, W] that the trajectories of an odd number start at; None of an even one."""
        if number % 2 == 0:
            return None
        if self.data.latents is None:
            return self.points(number - 1)[-1].float()
        return torch.stack([self.data.latents[row].float() for row in self.starts(number).rows])

    def compute(self, numbers: Sequence[int], encode: EncodeCaptions, report: Callable[[], object]) -> None:
        """Computes the files that don't exist yet, in this order."""
        for number in numbers:
            if saved_array(self._path(number)) is None:
                save_array(self._path(number), self.follow(self.teacher, number, encode).half().cpu().numpy())
            report()

    def follow(self, solver: Solver, number: int, encode: EncodeCaptions) -> Tensor:
        """The points [1 + steps, BATCH, 4, H, W] of a solver's trajectories from the starts of this number."""
        starts, clean = self.starts(number), self.clean(number)
        embeds = encode([*([""] * BATCH), *starts.captions]).float()
        device = embeds.device
        return solver.follow(
            embeds[BATCH:],
            embeds[:BATCH],
            starts.noise.to(device),
            None if clean is None else clean.to(device),
            starts.strength,
        )

    def points(self, number: int) -> Tensor:
        """The teacher's points [1 + steps, BATCH, 4, H, W], float16, read when they are used."""
        return torch.from_numpy(np.load(self._path(number), mmap_mode="c"))

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:05d}.npy"
