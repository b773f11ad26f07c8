"""Clips of whole bars joined without a gap: each repeats until the next is ready and takes over at a bar line.

Samples are 16-bit stereo at 48 kHz, as Discord's voice channels have them. A frame is one sample of both channels.
"""

import math
from array import array
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from riffusion.discord_bot.jam.interpolation_path import Position

RATE = 48_000  # frames a second
FRAME_BYTES = 4
PACKET_FRAMES = RATE // 50  # 20 ms, as long as a packet of Discord's
PACKET_BYTES = PACKET_FRAMES * FRAME_BYTES
FADE_FRAMES = RATE * 30 // 1000
FADE_BYTES = FADE_FRAMES * FRAME_BYTES

# Equal power, as the page's jam fades.
_RISE = [math.sin((n + 0.5) / FADE_FRAMES * math.pi / 2) for n in range(FADE_FRAMES) for _channel in range(2)]
_FALL = _RISE[::-1]


@dataclass(frozen=True)
class Clip:
    """Whole bars of music, and where on the path they are."""

    bars: bytes
    """What is heard from one bar line to the next."""
    beyond: bytes
    """The `FADE_BYTES` after them, which fade out below the next clip."""
    position: Position


def fit(samples: bytes, frames: int) -> tuple[bytes, bytes]:
    """Makes a sound last exactly so many frames, and a fade beyond.

    Decoders leave a clip some milliseconds short of its bars, and nothing follows its end. There it runs backwards:
    that needs no jump, and what is heard of it fades below the next clip.

    Args:
        samples: at least one frame.
    """
    needed = (frames + FADE_FRAMES) * FRAME_BYTES
    while len(samples) < needed:
        samples += array("I", samples)[::-1].tobytes()
    return samples[: frames * FRAME_BYTES], samples[frames * FRAME_BYTES : needed]


class BarLoop:
    """Endless samples from clips that become ready one after the other.

    `read` is called from the thread that plays; everything else from the event loop. A deque's operations are atomic.

    Args:
        first: the clip that plays first.
        taken: called, from the thread that plays, whenever a clip takes over.
    """

    def __init__(self, first: Clip, taken: Callable[[], object]) -> None:
        self.ready: deque[Clip] = deque()
        self.playing = first
        self._taken = taken
        self._bars, self._at = first.bars, 0

    def read(self) -> bytes:
        """The next 20 ms."""
        samples = self._bars[self._at : self._at + PACKET_BYTES]
        self._at += PACKET_BYTES
        if len(samples) < PACKET_BYTES:
            self._at = PACKET_BYTES - len(samples)
            self._bars = self._next_bars()
            samples += self._bars[: self._at]
        return samples

    def _next_bars(self) -> bytes:
        """The bars after a bar line, of the next clip if it is ready, beginning with the fade from those before."""
        previous = self.playing
        try:
            self.playing = self.ready.popleft()
        except IndexError:
            pass  # it repeats
        else:
            self._taken()
        return _cross_fade(previous.beyond, self.playing.bars[:FADE_BYTES]) + self.playing.bars[FADE_BYTES:]


def _cross_fade(old: bytes, new: bytes) -> bytes:
    mixed = (
        a * fall + b * rise for a, b, fall, rise in zip(array("h", old), array("h", new), _FALL, _RISE, strict=True)
    )
    return array("h", (max(-32768, min(32767, round(sample))) for sample in mixed)).tobytes()
