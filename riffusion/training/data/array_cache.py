"""Arrays that take long to make, in files that are named after all that they are made from."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from riffusion import __version__
from riffusion.training.data.array_files import save_array, saved_array


def digest(*parts: object) -> str:
    """A digest of the parts' representations, and of this project's version, whose code makes things from them."""
    return hashlib.sha256(repr((__version__, *parts)).encode()).hexdigest()[:32]


def file_digest(path: Path) -> str:
    """A digest of what a file contains."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class ArrayCache:
    """A folder of arrays by key. What has changed has another key, so an array that is found is never a stale one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The array of this key, which is made if there is none; read from disk as it is used."""
        path = self._path(key)
        if (array := saved_array(path)) is None:
            save_array(path, make())
            array = np.load(path, mmap_mode="r")
        return array

    def keep(self, keys: Iterable[str]) -> None:
        """Deletes all other arrays, and what killed processes left."""
        kept = {self._path(key) for key in keys}
        for path in [*self.folder.glob("*.npy"), *self.folder.glob("*.part")]:
            if path not in kept:
                path.unlink(missing_ok=True)  # other processes of the same training delete, too

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npy"
