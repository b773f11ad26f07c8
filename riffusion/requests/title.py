"""What a clip is called."""

from collections.abc import Mapping
from typing import Any

from riffusion.requests.words import plain


def title(request: Mapping[str, Any]) -> str:
    """A clip's title: the prompt of its request, or the prompts of both ends; empty if it has none.

    Args:
        request: A request of any mode as JSON.
    """
    ends = [request.get(end) for end in ("start", "end")]
    prompts = [str(end.get("prompt") or "") for end in ends if isinstance(end, Mapping)]
    return plain(str(request.get("prompt") or " → ".join(prompts)))
