"""Starting and ending quickly, although the libraries of the model are large."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Inside the block nothing is searched for garbage; what is there at its end never is.

    Imports and models make a million objects, which all stay. Searching them is an eighth of a worker's start, and most
    of a command's end.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
