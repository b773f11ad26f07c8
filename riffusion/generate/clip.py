"""The result of a request, and how its caller follows and stops it."""

from dataclasses import dataclass
from typing import Protocol

from riffusion.requests import AudioFormat


class Control(Protocol):
    """How a running request reports its progress and is stopped.

    Called from the thread that called `Generator.run`, never from the engine's. Either method may raise (`Canceled`,
    `DeadlineExceeded`, `LeaseLost`): the request's rows leave the batch before the next step, and `run` raises it.
    """

    @property
    def weight(self) -> float:
        """The request's share of the engine against others', greater than 0."""

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` UNet steps are done, over all rows of the request."""

    def check(self) -> None:
        """Called several times a second while the request waits or runs and no step is done."""


class NoControl:
    """Runs a request to its end and reports nothing."""

    weight = 1.0

    def progress(self, step: int, total: int) -> None:
        """Ignored."""

    def check(self) -> None:
        """Never stops the request."""


@dataclass(frozen=True)
class Clip:
    """A request's result: the picture, the sound, and their properties."""

    png: bytes
    audio: bytes
    audio_format: AudioFormat
    duration_s: float
    sample_rate: int
    channels: int
    width: int
    height: int
    warnings: tuple[str, ...] = ()
