"""Clips joined at bar lines, sample by sample."""

import io
import math
import wave
from array import array
from collections import deque

import numpy as np
import pytest

from riffusion.discord_bot.jam.bar_loop import FADE_FRAMES, PACKET_BYTES, PACKET_FRAMES, RATE, BarLoop, Clip, fit
from riffusion.discord_bot.jam.interpolation_path import InterpolationPath
from riffusion.discord_bot.jam.opus_stream import decode

BARS = 5_000  # frames: no multiple of a packet's


def samples(level: float, hz: float = 0, frames: int = BARS) -> bytes:
    """A constant or a sine, on both channels."""
    one = [round(32767 * level * math.cos(2 * math.pi * hz * n / RATE)) for n in range(frames)]
    return array("h", (sample for sample in one for _channel in range(2))).tobytes()


def clip(sound: bytes, frames: int = BARS) -> Clip:
    return Clip(*fit(sound, frames), InterpolationPath("funk").next())


def played(loop: BarLoop, packets: int) -> np.ndarray:
    """What is heard on the left."""
    read = [loop.read() for _ in range(packets)]
    assert {len(packet) for packet in read} == {PACKET_BYTES}
    return np.frombuffer(b"".join(read), np.int16)[::2] / 32767


def test_a_clip_repeats_until_the_next_is_ready() -> None:
    taken: list[int] = []
    loop = BarLoop(clip(samples(0.5)), 1, taken=lambda: taken.append(1))
    first = played(loop, 2 * BARS // PACKET_FRAMES)
    assert not taken
    assert first.min() > 0.49
    loop.ready.append(clip(samples(0.1)))
    heard = np.concatenate([first, played(loop, 10)])
    assert taken == [1]
    assert abs(heard[2 * BARS + FADE_FRAMES : 3 * BARS] - 0.1).max() < 1e-3  # from the bar line, not before
    assert abs(heard[BARS + FADE_FRAMES : 2 * BARS] - 0.5).max() < 1e-3


@pytest.mark.parametrize("why", ["late", "discarded"])
def test_a_clip_that_is_late_takes_over_at_the_next_bar_line(why: str) -> None:
    taken: list[int] = []
    loop = BarLoop(clip(samples(0.5)), 2, taken=lambda: taken.append(1))
    before = BARS // PACKET_FRAMES + 1 if why == "late" else 1
    first = played(loop, before)
    if why == "discarded":
        loop.ready.append(clip(samples(0.9)))
        loop.discard()
    loop.ready.append(clip(samples(0.1, frames=BARS // 2) + samples(0.2, frames=BARS)))
    heard = np.concatenate([first, played(loop, 12)])
    line = BARS // 2 + (BARS if why == "late" else 0)
    assert taken == [1]
    assert abs(heard[line - 100 : line] - 0.5).max() < 1e-3
    assert abs(heard[line + FADE_FRAMES : line + BARS // 2] - 0.2).max() < 1e-3  # at the same place in its own bars
    later = heard[line + BARS // 2 + FADE_FRAMES :][:500]
    assert abs(later - 0.1).max() < 1e-3


def test_a_clip_in_time_takes_over_at_the_loops_end() -> None:
    loop = BarLoop(clip(samples(0.5)), 2, taken=lambda: None)
    loop.ready.append(clip(samples(0.1)))
    heard = played(loop, BARS // PACKET_FRAMES + 4)
    assert abs(heard[:BARS] - 0.5).max() < 1e-3
    assert abs(heard[BARS + FADE_FRAMES :] - 0.1).max() < 1e-3


def test_what_is_made_instead_takes_over_at_the_next_bar_line_though_a_line_passes_meanwhile() -> None:
    long = 4 * BARS
    loop = BarLoop(clip(samples(0.5, frames=long), long), 4, taken=lambda: None)
    packets = BARS // PACKET_FRAMES + 1

    class Racing(deque[Clip]):
        def clear(self) -> None:
            played(loop, packets)  # by the other thread
            super().clear()

    loop.ready = Racing([clip(samples(0.9, frames=long), long)])
    loop.discard()
    loop.ready.append(clip(samples(0.1, frames=long), long))
    heard = played(loop, packets + 4)
    line = 2 * BARS - packets * PACKET_FRAMES
    assert abs(heard[line + FADE_FRAMES : line + FADE_FRAMES + 500] - 0.1).max() < 1e-3


def test_a_fade_keeps_the_power() -> None:
    loop = BarLoop(clip(samples(0.3, 1000)), 1, taken=lambda: None)
    loop.ready.append(clip(samples(0.3, 1710)))
    heard = played(loop, 2 * BARS // PACKET_FRAMES)
    fade = heard[BARS : BARS + FADE_FRAMES].reshape(5, -1)
    assert np.sqrt((fade**2).mean(1)) == pytest.approx(0.3 / 2**0.5, rel=0.1)


def test_a_fade_of_loud_clips_does_not_wrap_around() -> None:
    loop = BarLoop(clip(samples(1.0)), 1, taken=lambda: None)
    assert played(loop, 20).min() > 0.99


@pytest.mark.parametrize("frames", [BARS - 7, BARS, BARS + 3000, 700])
def test_any_clip_is_made_to_fit_without_a_jump(frames: int) -> None:
    bars, beyond = fit(samples(0.5, 100, frames), BARS)
    whole = np.frombuffer(bars + beyond, np.int16)[::2]
    assert len(whole) == BARS + FADE_FRAMES
    assert abs(np.diff(whole)).max() <= 32767 * 0.5 * 2 * math.pi * 100 / RATE + 1


@pytest.mark.parametrize("channels", [1, 2])
def test_a_decoded_clip_is_as_loud_as_it_was(channels: int) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(44_100)
        sound.writeframes(samples(0.5, 441, 44_100)[: 44_100 * 2 * channels])
    decoded = np.frombuffer(decode(file.getvalue(), channels, 3), np.int16).reshape(-1, 2) / 32767
    assert len(decoded) == pytest.approx(RATE, abs=20)
    assert np.abs(decoded[1000:-1000]).max(0) == pytest.approx([0.5, 0.5], rel=0.01)
