"""How each mode is made: a module a mode, named as the one in `riffusion/requests/modes/` that says what it asks for.

A module has one function, `make`: from a request and its pictures and sounds, by field, to the picture it asks for.
"""

import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

from riffusion.generate.clip import Control
from riffusion.generate.painter import Painter
from riffusion.requests import MODES, AnyRequest
from riffusion.spectrogram.canvas import Canvas

Make = Callable[[Painter, Any, Mapping[str, Canvas], Control], Canvas]


def _makers() -> Mapping[type[AnyRequest], Make]:
    """Each mode's function.

    Raises:
        TypeError: a mode has no module here, or a module has no mode; the message names them.
    """
    modes = {mode.__module__.rpartition(".")[2]: mode for mode in MODES}
    modules = {info.name for info in pkgutil.iter_modules(__path__)}
    if unmatched := modes.keys() ^ modules:
        raise TypeError(f"only one of riffusion.requests.modes and {__name__} has: {', '.join(sorted(unmatched))}")
    return MappingProxyType({mode: import_module(f"{__name__}.{name}").make for name, mode in modes.items()})


MAKERS = _makers()
