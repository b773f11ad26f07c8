"""Arrays in files of their own, which are there whole or are made again."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from riffusion.training.data.whole_file import whole_file

log = logging.getLogger(__name__)


def save_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Writes an array; a kill or an error leaves the file that was there, or none."""
    with whole_file(path) as file:
        np.save(file, array)


def saved_array(path: Path) -> npt.NDArray[Any] | None:
    """The array in a file, read from disk as it is used; None where there is no file, or one that is cut short."""
    try:
        array: npt.NDArray[Any] = np.load(path, mmap_mode="r")
    except FileNotFoundError:
        return None
    except (ValueError, EOFError) as error:
        log.warning("array file is damaged", extra={"file": str(path), "reason": str(error)})
        return None
    return array
