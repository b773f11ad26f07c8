"""Numba's compiler as this project uses it: cached on disk, without the interpreter lock."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, cast

import numba

_F = TypeVar("_F", bound=Callable[..., Any])
_njit = partial(numba.njit, nogil=True, fastmath=True, error_model="numpy")


def compiled(function: _F) -> _F:
    """The function as machine code, compiled at its first call and kept next to the source or in the user's cache.

    `fastmath` lets loops be vectorised; the same machine still gives the same bits every time. Where no folder can be
    written, each process compiles for itself: set NUMBA_CACHE_DIR to avoid that.
    """
    try:
        machine_code = _njit(cache=True)(function)
    except RuntimeError:  # no locator: neither the package's folder nor a user's cache is writable
        machine_code = _njit()(function)
    return cast("_F", machine_code)
