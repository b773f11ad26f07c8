"""What a clip is called."""

from collections.abc import Mapping
from typing import Any

from riffusion.requests.base import AnyRequest
from riffusion.requests.modes import BY_NAME
from riffusion.requests.plain_text import plain


def title(request: Mapping[str, Any]) -> str:
    """A clip's title: the prompt of its request, or the prompts of both ends; empty if it has none.

    Args:
        request: A request of any mode as JSON; this version may lack the mode.
    """
    ends = [str(value["prompt"]) for value in request.values() if _is_end(value)]
    return plain(str(request.get("prompt") or (" → ".join(ends) if any(ends) else "")))


def untitled(mode: str) -> str:
    """What a clip of this mode is called that has no title."""
    return BY_NAME.get(mode, AnyRequest).UNTITLED


def _is_end(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("prompt"), str)
