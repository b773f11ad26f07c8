"""What each mode asks for: one module per mode, discovered at import.

A module holds one model whose `mode` is the module's name with hyphens. What others ask of a mode is listed in
`riffusion/requests/base.py`; how it is made is in the module of the same name in `riffusion/generate/modes/`.
"""

import pkgutil
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field

from riffusion.requests.base import AnyRequest


def _model_of(module: ModuleType) -> type[AnyRequest]:
    """The mode that a module defines.

    Raises:
        TypeError: it defines none, several, or one of another name.
    """
    own = [each for each in vars(module).values() if isinstance(each, type) and each.__module__ == module.__name__]
    modes = [each for each in own if issubclass(each, AnyRequest) and hasattr(each, "MODE")]
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    if [mode.MODE for mode in modes] != [name]:
        raise TypeError(f"{module.__name__} must define exactly one mode, named {name}")
    return modes[0]


_found = [_model_of(import_module(f"{__name__}.{info.name}")) for info in pkgutil.iter_modules(__path__)]

MODES: tuple[type[AnyRequest], ...] = tuple(sorted(_found, key=lambda mode: (mode.RANK, mode.MODE)))
"""Every mode, in the order in which lists show them."""
BY_NAME = MappingProxyType({mode.MODE: mode for mode in MODES})

if TYPE_CHECKING:
    Request = AnyRequest
else:
    Request = Annotated[Union[MODES], Field(discriminator="mode")]  # noqa: UP007 -- of a tuple
