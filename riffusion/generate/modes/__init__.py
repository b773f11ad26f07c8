"""How each mode is made: one module per mode, with the name of its request's in `riffusion/requests/modes/`.

A module has one function, `make`: from a request and its pictures and sounds, by field, to the picture it asks for.
"""

import pkgutil
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from riffusion.generate.clip import Control
from riffusion.requests import MODES, AnyRequest
from riffusion.spectrogram.canvas import Canvas

# The first argument is the painter, or none for a mode that isn't `Painted`; the second is a request of the mode.
Make = Callable[[Any, Any, Mapping[str, Canvas], Control], Canvas]


def _module_names() -> dict[type[AnyRequest], str]:
    """Each mode's module here.

    Raises:
        TypeError: a mode has no module here, or a module has no mode; the message names them.
    """
    modes = {mode.__module__.rpartition(".")[2]: mode for mode in MODES}
    modules = {info.name for info in pkgutil.iter_modules(__path__)}
    if unmatched := modes.keys() ^ modules:
        raise TypeError(f"only one of riffusion.requests.modes and {__name__} has: {', '.join(sorted(unmatched))}")
    return {mode: name for name, mode in modes.items()}


_NAMES = _module_names()


def maker_of(mode: type[AnyRequest]) -> Make:
    """A mode's function. Imports its module, and with it the model's code only if the mode paints."""
    make: Make = import_module(f"{__name__}.{_NAMES[mode]}").make
    return make
