"""What a picture file holds, seen by a process of its own under limits: a misbehaving decoder ends only that process.

Run as a program, it is that process: the picture on standard input, what was found on standard output.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from riffusion.errors import UnreadableMedia
from riffusion.limited_process import Limits, run_limited
from riffusion.spectrogram.exif import from_exif
from riffusion.spectrogram.picture_file import ImageInfo, open_picture, probe_image

LIMITS = Limits(cpu_s=20, wall_s=60.0, memory_bytes=1 << 30, file_bytes=64 << 10)


def probe_picture(path: Path) -> ImageInfo:
    """`probe_image` of a file from outside, in a process of its own under `LIMITS`; `open_picture` will take it.

    Raises:
        UnreadableMedia: as `open_picture` and `from_exif`, or it ran into a limit.
    """
    # The environment is not inherited: without this path, the process wouldn't find this package.
    env = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONDONTWRITEBYTECODE": "1"}
    with path.open("rb") as file:
        try:
            done = run_limited([sys.executable, "-m", __name__], LIMITS, stdin=file, env=env)
        except subprocess.TimeoutExpired:
            raise UnreadableMedia("The picture takes too long to decode.") from None
    if done.returncode:
        raise UnreadableMedia("The picture needs more time or memory to decode than is allowed.")
    found = json.loads(done.stdout)
    if "refused" in found:
        raise UnreadableMedia(found["refused"])
    return ImageInfo(**found)


def _main() -> None:
    try:
        data = sys.stdin.buffer.read()
        found = asdict(probe_image(data))
        from_exif(open_picture(data).getexif())
    except UnreadableMedia as error:
        found = {"refused": str(error)}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main()
