"""The words that a clip is known by."""

from collections.abc import Mapping
from typing import Any

from riffusion.requests.base import AnyRequest
from riffusion.requests.modes import BY_NAME
from riffusion.requests.plain_text import plain


def title(request: Mapping[str, Any]) -> str:
    """A request's prompt, those of its ends, or what its mode calls a clip without words.

    Args:
        request: its JSON; its mode may be one that this version lacks.
    """
    prompts = [_prompt(part) for part in (request, *filter(_is_end, request.values()))]
    words = " → ".join(prompts[1:]) if any(prompts[1:]) else prompts[0]
    return plain(words) or BY_NAME.get(request["mode"], AnyRequest).TITLE


def _is_end(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("prompt"), str)


def _prompt(part: Mapping[str, Any]) -> str:
    return part.get("prompt") or ""
