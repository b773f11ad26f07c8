"""From a request to a clip: the flow, written once, used by the worker and by the command line."""

from typing import TYPE_CHECKING, Any

from riffusion.generate.clip import Clip, Control, NoControl

if TYPE_CHECKING:
    from riffusion.generate.generator import Generator
    from riffusion.generate.render import Renderer

__all__ = ["Clip", "Control", "Generator", "NoControl", "Renderer"]


def __getattr__(name: str) -> Any:
    """Imports what runs requests, and torch with it, at its first use: the types alone need neither (PEP 562)."""
    if name == "Generator":
        from riffusion.generate.generator import Generator

        return Generator
    if name == "Renderer":
        from riffusion.generate.render import Renderer

        return Renderer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
