"""What is said where a training can't read or write a file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError
from soundfile import SoundFileError

from riffusion.errors import StorageUnavailable


@contextmanager
def file_errors(folder: Path) -> Iterator[None]:
    """A block that reads and writes files, mostly in `folder`.

    Raises:
        StorageUnavailable: one of them can't be read or written.
    """
    try:
        yield
    except (OSError, SafetensorError, SoundFileError) as error:
        path, reason = getattr(error, "filename", None) or folder, getattr(error, "strerror", None) or error
        raise StorageUnavailable(
            f"{path} can't be read or written ({reason}). Make room on the disk, or allow access; the same command "
            "then resumes where it was."
        ) from error
