"""Clips of whole bars joined without a gap, as the page's jam joins them (`web/static/js/jam/loop-scheduler.js`).

A clip that is ready in time takes over at the loop's end. Until then the one before repeats, and a late one takes over
at the next bar line, at the same place in its own bars.

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
    """What is heard until it repeats."""
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
        bars: how many bars each clip has.
        taken: called, from the thread that plays, whenever a clip takes over.
    """

    def __init__(self, first: Clip, bars: int, taken: Callable[[], object]) -> None:
        self.ready: deque[Clip] = deque()
        self.playing = first
        self._taken = taken
        self._late = False
        self._samples, self._at = first.bars, 0
        frames = len(first.bars) // FRAME_BYTES
        self._lines = [round(frames * n / bars) * FRAME_BYTES for n in range(1, bars + 1)]

    def discard(self) -> None:
        """Discards what is ready. What comes instead takes over at the next bar line."""
        self.ready.clear()
        self._late = True  # last: at a line that passes meanwhile, the other thread may say that nothing is late

    def read(self) -> bytes:
        """The next 20 ms."""
        packet = b""
        while len(packet) < PACKET_BYTES:
            line = next(line for line in self._lines if line > self._at)
            end = min(self._at + PACKET_BYTES - len(packet), line)
            packet += self._samples[self._at : end]
            self._at = end
            if end == line:
                self._pass_line()
        return packet

    def _pass_line(self) -> None:
        """Where a clip may take over or the loop ends, continues after a fade from what would have followed."""
        ends = self._at == len(self._samples)
        if not (ends or self._late):
            return
        following = self.playing.beyond if ends else self._samples[self._at : self._at + FADE_BYTES]
        try:
            self.playing = self.ready.popleft()
        except IndexError:
            self._late = True
            if not ends:
                return
        else:
            self._late = False
            self._taken()
        self._at %= len(self._samples)
        bars, fade_end = self.playing.bars, self._at + FADE_BYTES
        self._samples = bars[: self._at] + _cross_fade(following, bars[self._at : fade_end]) + bars[fade_end:]


def _cross_fade(old: bytes, new: bytes) -> bytes:
    mixed = (
        a * fall + b * rise for a, b, fall, rise in zip(array("h", old), array("h", new), _FALL, _RISE, strict=True)
    )
    return array("h", (max(-32768, min(32767, round(sample))) for sample in mixed)).tobytes()
