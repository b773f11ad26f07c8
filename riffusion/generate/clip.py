"""What comes out of a request, and the way back to whoever asked."""

from dataclasses import dataclass
from typing import Protocol

from riffusion.requests import AudioFormat


class Control(Protocol):
    """How a running request tells of itself and learns that it should stop.

    Called from the thread that called `Generator.run`, never from the engine's. Either method may raise (`Canceled`,
    `DeadlineExceeded`, `LeaseLost`): the request's rows leave the batch before the next step, and `run` raises it.
    """

    @property
    def weight(self) -> float:
        """The request's share of the engine against others', greater than 0."""

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` UNet steps are done, over all rows of the request."""

    def check(self) -> None:
        """Nothing new; called several times a second while the request waits or works."""


class NoControl:
    """Runs to the end, whatever happens, and tells nobody."""

    weight = 1.0

    def progress(self, step: int, total: int) -> None:
        """Ignored."""

    def check(self) -> None:
        """Goes on."""


@dataclass(frozen=True)
class Clip:
    """A request's result: the picture, the sound, and what to say about them."""

    png: bytes
    audio: bytes
    audio_format: AudioFormat
    duration_s: float
    sample_rate: int
    channels: int
    width: int
    height: int
    warnings: tuple[str, ...] = ()
