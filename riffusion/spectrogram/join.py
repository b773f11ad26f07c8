"""Pictures put one after another."""

from collections.abc import Sequence

from PIL import Image


def join_pictures(pictures: Sequence[Image.Image], overlap: int = 0) -> Image.Image:
    """One wide picture; neighbours share `overlap` columns, blended linearly. EXIF is the first one's.

    Pictures of other scale (EXIF max value) than the first are rescaled to it.
    """
    raise NotImplementedError
