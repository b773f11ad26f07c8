"""The result of a request, and how its caller follows and stops it."""

from dataclasses import dataclass
from typing import Any, Protocol

from riffusion.requests import AudioFormat


class Control(Protocol):
    """How a running request reports its progress and is stopped.

    Called from the thread that called `Generator.run`, never from the engine's. `progress` and `check` may raise
    (`Canceled`, `DeadlineExceeded`, `LeaseLost`): the request's rows leave the batch before the next step, and `run`
    raises it.
    """

    @property
    def weight(self) -> float:
        """The request's share of the engine against others', greater than 0."""

    @property
    def wants_previews(self) -> bool:
        """Whether `preview` is to be called."""

    def progress(self, step: int, total: int) -> None:
        """`step` of `total` UNet steps are done, over all rows of the request."""

    def check(self) -> None:
        """Called several times a second while the request waits or runs and no step is done."""

    def preview(self, webp: bytes) -> None:
        """The picture as it emerges: a grey WebP of at most 10 kB, in the whole picture's proportions."""


class NoControl:
    """Runs a request to its end and reports nothing."""

    weight = 1.0
    wants_previews = False

    def progress(self, step: int, total: int) -> None:
        """Ignored."""

    def check(self) -> None:
        """Never stops the request."""

    def preview(self, webp: bytes) -> None:
        """Not called."""


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

    def segment(self) -> Any:
        """The sound as a `pydub.AudioSegment` of 16 bits: of a WAV or FLAC file exactly the samples that it holds.

        Raises:
            ToolMissing: pydub isn't installed.
        """
        from riffusion.audio.ffmpeg import convert
        from riffusion.audio_segment import segment_of

        size = round(self.duration_s * self.sample_rate) * self.channels * 2
        pcm = convert(self.audio, ["-c:a", "pcm_s16le", "-f", "s16le"], max_output=size + (1 << 20)).output
        return segment_of(pcm, self.sample_rate, self.channels)
