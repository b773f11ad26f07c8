"""The bundled ffmpeg, run under limits: it reads one file descriptor, writes another, and can open no other file."""

import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from riffusion.errors import ToolMissing, UnreadableMedia
from riffusion.limited_process import Limits, run_limited

CPU_SECONDS = 120
WALL_SECONDS = 300
MEMORY_BYTES = 1 << 30
# Formats that people send. None of them names other files, as playlists, HLS, concat and image sequences do.
FORMATS = "wav,w64,mp3,flac,ogg,mov,matroska,aiff"

# Codecs of sound in those formats. Cover pictures, subtitles and films are never decoded.
CODECS = ",".join((
    "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_u8", "pcm_s8",
    "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_alaw", "pcm_mulaw", "adpcm_ima_wav", "adpcm_ms",
    "mp3float", "mp3", "mp2", "mp2float", "mp1", "mp1float", "flac", "vorbis", "libvorbis", "opus", "libopus", "speex",
    "libspeex", "aac", "alac", "ac3", "eac3",
))  # fmt: skip


@dataclass(frozen=True)
class Converted:
    """A run of ffmpeg."""

    output: bytes
    """The file that it wrote."""
    log: str
    """Its messages."""


@cache
def ffmpeg_path() -> str:
    """The program in the wheel imageio-ffmpeg, or the one `IMAGEIO_FFMPEG_EXE` names.

    Raises:
        ToolMissing: neither is there.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise ToolMissing(
            "ffmpeg isn't installed: reinstall the package imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE."
        ) from None


def convert(
    source: bytes | Path, output_options: Sequence[str], *, input_options: Sequence[str] = (), max_output: int
) -> Converted:
    """Runs ffmpeg once over `source`. No file is ever left behind: both ends are unlinked files.

    Args:
        source: the file, or its bytes.
        output_options: codec, format, filters.
        input_options: of raw input; any other format is detected, among `FORMATS`.
        max_output: bytes of output after which it is stopped.

    Raises:
        UnreadableMedia: ffmpeg can't read it, or ran into a limit.
    """
    with _reader(source) as read, tempfile.TemporaryFile() as write:
        inward, outward = read.fileno(), write.fileno()
        command = [
            *(ffmpeg_path(), "-nostdin", "-hide_banner", "-loglevel", "info", "-nostats", "-y", "-threads", "1"),
            *("-protocol_whitelist", "fd", "-format_whitelist", FORMATS + ",f32le", "-codec_whitelist", CODECS),
            *input_options,
            *("-fd", str(inward), "-i", "fd:", "-map", "0:a:0", "-map_metadata", "-1", *output_options),
            *("-fd", str(outward), "fd:"),
        ]
        try:
            limits = Limits(CPU_SECONDS, WALL_SECONDS, MEMORY_BYTES, max_output)
            done = run_limited(command, limits, pass_fds=(inward, outward), env={"AV_LOG_FORCE_NOCOLOR": "1"})
        except subprocess.TimeoutExpired:
            raise UnreadableMedia("The audio takes too long to decode.") from None
        if done.returncode < 0:
            raise UnreadableMedia("The audio needs more time, memory or space to decode than is allowed.")
        if done.returncode:
            raise UnreadableMedia("The file isn't audio that can be read: send a WAV, MP3, FLAC, Ogg or M4A file.")
        write.seek(0)
        return Converted(write.read(), done.stderr.decode(errors="replace"))


def _reader(source: bytes | Path) -> IO[bytes]:
    """A seekable file for ffmpeg: M4A keeps its index at the end."""
    if isinstance(source, Path):
        return source.open("rb")
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the caller
    file.write(source)
    file.flush()
    file.seek(0)
    return file
