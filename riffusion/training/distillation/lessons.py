"""What the student learns from: places on the teacher's trajectories, and where each leads in one of its own steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from riffusion.training.distillation.trajectories import BATCH, Trajectories

_ON_GRID = 0.5  # share of the lessons that start where a run of the student takes its steps


@dataclass(frozen=True)
class Lessons:
    """A batch for the student: from each start, one of its steps leads to the end."""

    tensors: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    """Starts and ends [N, 4, H, W], timesteps [N] of the starts, ᾱ [N] of the starts, and of the ends."""
    captions: Sequence[str]


class LessonSource:
    """Draws lessons from the files of the first `count` numbers."""

    def __init__(self, trajectories: Trajectories, count: int, alphas_cumprod: Tensor, jump: int) -> None:
        """
        Args:
            alphas_cumprod: ᾱ [timesteps] of the training schedule.
            jump: steps of the teacher that are one of the student.
        """
        self._jump = jump
        self._files: list[tuple[Tensor, Sequence[str], Tensor, Tensor]] = []
        for number in range(count):
            starts = trajectories.starts(number)
            timesteps = trajectories.teacher.way(starts.strength).timesteps.long()
            levels = torch.cat([alphas_cumprod[timesteps], torch.ones(1)])
            self._files.append((trajectories.points(number), starts.captions, timesteps, levels))

    def draw(self, count: int, random: torch.Generator) -> Lessons:
        """Random lessons, half of them from where a run of the student takes its steps, half from anywhere."""
        draws = torch.rand((count, 4), generator=random, dtype=torch.float64).tolist()
        drawn: list[tuple[Any, ...]] = []
        for file, row, place, grid in draws:
            points, captions, timesteps, levels = self._files[int(file * len(self._files))]
            n, start = int(row * BATCH), int(place * len(timesteps))
            if grid < _ON_GRID:
                start -= start % self._jump
            end = min(start + self._jump, len(timesteps))
            drawn.append((points[start, n], points[end, n], timesteps[start], levels[start], levels[end], captions[n]))
        start_points, ends, times, start_levels, end_levels, texts = zip(*drawn, strict=True)
        latents = torch.stack(start_points).float(), torch.stack(ends).float()
        return Lessons((*latents, torch.stack(times), torch.stack(start_levels), torch.stack(end_levels)), texts)
