"""Samples as the Opus packets that Discord plays, by the bundled ffmpeg: libopus comes with it."""

import itertools
import subprocess
from collections.abc import Callable
from typing import IO, cast

import discord
from discord.oggparse import OggStream

from riffusion.audio.ffmpeg import convert, ffmpeg_path
from riffusion.discord_bot.jam.bar_loop import FRAME_BYTES, RATE
from riffusion.errors import UnreadableMedia

BITRATE = "128k"
HEADERS = 2  # of an Ogg stream with Opus, RFC 7845: its first two packets hold no sound
# Packets of samples that the encoder gets ahead of the playback: it returns nothing before it has five.
LEAD = 25

_RAW = ("-f", "s16le", "-ar", str(RATE), "-ac", "2")


def decode(sound: bytes, channels: int, max_s: float) -> bytes:
    """A sound's samples, as `bar_loop` takes them.

    Args:
        sound: a file's content.
        channels: of the sound: 1, which both channels get as it is (ffmpeg's own way is 3 dB quieter), or 2.

    Raises:
        UnreadableMedia: it is no sound, or none that can be read.
    """
    both = "pan=stereo|c0=c0|c1=c0," if channels == 1 else ""
    options = ["-t", str(max_s), "-af", f"{both}aresample={RATE}", *_RAW]
    samples = convert(sound, options, max_output=int((max_s + 1) * RATE) * FRAME_BYTES).output
    if not samples:
        raise UnreadableMedia("The clip is empty.")
    return samples


class OpusStream(discord.AudioSource):
    """Packets of 20 ms from one encoder, whose state runs through all clips, so that none begins with a fresh one.

    Args:
        read_samples: returns the next 20 ms; the stream calls it only as fast as it is read itself.

    Raises:
        ToolMissing: there is no ffmpeg.
    """

    def __init__(self, read_samples: Callable[[], bytes]) -> None:
        self._read_samples = read_samples
        self._encoder = subprocess.Popen(  # noqa: S603  a fixed program
            [
                *(ffmpeg_path(), "-hide_banner", "-loglevel", "quiet", "-threads", "1", *_RAW, "-i", "pipe:0"),
                *("-c:a", "libopus", "-b:a", BITRATE, "-frame_duration", "20", "-flush_packets", "1"),
                *("-page_duration", "20000", "-f", "opus", "pipe:1"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={},
        )
        self._samples, packets = cast(IO[bytes], self._encoder.stdin), cast(IO[bytes], self._encoder.stdout)
        self._packets = itertools.islice(OggStream(packets).iter_packets(), HEADERS, None)
        self._lead = 0

    def read(self) -> bytes:
        """The next packet; empty, which ends the playback, once the encoder has ended."""
        while self._lead < LEAD:
            self._samples.write(self._read_samples())
            self._lead += 1
        self._lead -= 1
        return next(self._packets, b"")

    def is_opus(self) -> bool:
        """It needs no encoding by discord.py."""
        return True

    def cleanup(self) -> None:
        """Ends the encoder. Called by discord.py too, after the playback."""
        self._encoder.kill()
        self._encoder.wait()
        self._samples.close()
