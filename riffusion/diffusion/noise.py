"""Noise from seeds. Always drawn on the CPU in float32, so that a seed gives the same noise on every device."""

import math
from typing import Protocol

import torch
from torch import Tensor

_PARALLEL = 0.9995  # cosine beyond which two vectors are interpolated linearly


class Noise(Protocol):
    """The source of one row's noise: what it starts from, then whatever its sampler draws."""

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """The next standard normal noise of this shape, float32 on the CPU."""


class SeededNoise:
    """The noise of one seed."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator("cpu").manual_seed(seed)

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """The next noise of this seed."""
        return torch.randn(shape, generator=self._generator, dtype=torch.float32)


class BlendedNoise:
    """The noise between two seeds: at `alpha` 0 it is the first one's, at 1 the second one's."""

    def __init__(self, start: Noise, end: Noise, alpha: float) -> None:
        self._start, self._end, self._alpha = start, end, alpha

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """The next noise of both, spherically interpolated."""
        return slerp(self._alpha, self._start.draw(shape), self._end.draw(shape))


class GivenNoise:
    """Starts with noise that exists already (a slice of a longer one); then draws from a seed."""

    def __init__(self, first: Tensor, seed: int) -> None:
        self._first: Tensor | None = first
        self._then = SeededNoise(seed)

    def draw(self, shape: tuple[int, ...]) -> Tensor:
        """The given noise at the first call, which must have this `shape`; then the next noise of the seed."""
        first, self._first = self._first, None
        return first if first is not None else self._then.draw(shape)


def slerp(alpha: float, start: Tensor, end: Tensor) -> Tensor:
    """Spherical interpolation (Shoemake 1985) of two tensors of one shape, each taken as one vector.

    (start · sin((1 - alpha) · φ) + end · sin(alpha · φ)) / sin(φ), with φ the angle between them. Keeps the norm of
    noise, of which linear interpolation of two independent draws would lose up to 30 %. `alpha` is 0 to 1: 0 gives
    exactly `start`, 1 exactly `end`.
    """
    if alpha in (0.0, 1.0):
        return (end if alpha else start).clone()
    norms = float(start.norm() * end.norm())
    cosine = float(torch.dot(start.flatten(), end.flatten())) / norms if norms else 1.0
    if abs(cosine) > _PARALLEL:
        return torch.lerp(start, end, alpha)
    angle = math.acos(cosine)
    return (start * math.sin((1 - alpha) * angle) + end * math.sin(alpha * angle)) / math.sin(angle)
