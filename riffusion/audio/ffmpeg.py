"""The bundled ffmpeg, run under limits: it reads one file descriptor, writes another, and can open nothing else."""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO

import imageio_ffmpeg

from riffusion.errors import ToolMissing, UnreadableMedia

CPU_SECONDS = 120
WALL_SECONDS = 300
MEMORY_BYTES = 1 << 30
# What people send: nothing that names other files (playlists, HLS, concat, image sequences).
FORMATS = "wav,w64,mp3,flac,ogg,mov,matroska,aiff"

# dash and bash count `ulimit -f` in 512-byte blocks under POSIX rules; -v isn't settable everywhere.
_LIMITED = 'ulimit -t "$1"; ulimit -v "$2" 2>/dev/null; ulimit -f "$3"; shift 3; exec "$@"'


@dataclass(frozen=True)
class Converted:
    """What ffmpeg wrote, and what it said on the way."""

    output: bytes
    log: str


@cache
def ffmpeg_path() -> str:
    """The program in the wheel imageio-ffmpeg, or the one `IMAGEIO_FFMPEG_EXE` names.

    Raises:
        ToolMissing: there is none for this platform.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        raise ToolMissing("no ffmpeg: reinstall the package imageio-ffmpeg, or set IMAGEIO_FFMPEG_EXE") from None


def convert(
    source: bytes | Path, output_options: Sequence[str], *, input_options: Sequence[str] = (), max_output: int
) -> Converted:
    """Runs ffmpeg once over `source`. No file is left behind, whatever happens: both ends are unlinked files.

    Args:
        source: the file, or its bytes.
        output_options: codec, format, filters.
        input_options: needed for raw input; otherwise the format is found among `FORMATS`.
        max_output: bytes after which it is stopped.

    Raises:
        UnreadableMedia: ffmpeg can't read it, or ran into a limit.
    """
    with _reader(source) as read, tempfile.TemporaryFile() as write:
        inward, outward = read.fileno(), write.fileno()
        command = [
            *("/bin/sh", "-c", _LIMITED, "sh", str(CPU_SECONDS), str(MEMORY_BYTES // 1024), str(max_output // 512 + 1)),
            *(ffmpeg_path(), "-nostdin", "-hide_banner", "-loglevel", "info", "-nostats", "-y", "-threads", "1"),
            *("-protocol_whitelist", "fd", "-format_whitelist", FORMATS + ",f32le", *input_options),
            *("-fd", str(inward), "-i", "fd:", "-map", "0:a:0", "-map_metadata", "-1", *output_options),
            *("-fd", str(outward), "fd:"),
        ]
        try:
            done = subprocess.run(  # noqa: S603  fixed program, arguments are ours alone
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                pass_fds=(inward, outward),
                timeout=WALL_SECONDS,
                env={"PATH": os.defpath, "LC_ALL": "C", "AV_LOG_FORCE_NOCOLOR": "1"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UnreadableMedia("the audio takes too long to decode") from None
        if done.returncode < 0:
            raise UnreadableMedia("the audio needs more time, memory or space to decode than is allowed")
        if done.returncode:
            raise UnreadableMedia("no audio that can be read: send a WAV, MP3, FLAC, Ogg or M4A file")
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
