"""Everything that the bot says, in words for people who just want a clip."""

import time
from collections.abc import Mapping
from typing import Any

from riffusion.errors import InvalidRequest, RiffusionError, UnavailableError

MAX_SHOWN = 300  # characters of a prompt
BAR_CELLS = 12

BLOCKED = "There is a word in it that isn't welcome here. Please say it differently."
NOT_YOURS = "Only the person who asked for this clip can delete it."
SERVER_AWAY = "The music server doesn't answer right now. Your clip isn't lost; I keep asking."
STYLE_HAS_LENGTH = "A style clip brings its own length: leave out `length` or `style`."
STYLE_TOO_LARGE = "That file is too large to be a style clip; send one of at most 25 MB."
BUG = "Something went wrong in the bot. Whoever runs it finds the reason in its log."

_MEANING = {
    "queue_full": "So many clips are waiting that the server takes no more right now.",
    "too_many_requests": "You have asked for as much as one person may at a time.",
    "unauthorized": "The music server doesn't let this bot in; whoever runs it has to give it a key.",
    "overloaded": "The music server has more to do than it can do in time. Try again in a minute.",
    "store_unavailable": "The music server has trouble with its queue right now.",
    "storage_unavailable": "The music server can't reach its files right now.",
    "storage_full": "The music server has no room for more clips right now.",
    "unavailable": "The music server doesn't answer right now.",
    "unknown_reference": "What this starts from is no longer on the server; clips are kept for a while only.",
    "not_found": "The server knows nothing of this clip.",
    "gone": "This clip is no longer on the server; clips are kept for a while only.",
    "deadline_exceeded": "It took longer than the server allows and was given up. Try again when it is less busy.",
    "worker_lost": "The machines that worked on it broke down, more than once. Try again in a while.",
    "canceled": "It was canceled.",
    "out_of_memory": "It is too large for the server's memory. Try a shorter clip.",
    "broken_picture": "The model came out with nothing that can be heard. Another seed or prompt may do.",
}


def too_many_of_yours(limit: int) -> str:
    """A user's limit is reached."""
    return f"You have {limit} clip{'s' if limit > 1 else ''} on the way already. Ask again when one is done."


def too_many_here(limit: int) -> str:
    """A Discord server's limit is reached."""
    return f"This Discord server has {limit} clip{'s' if limit > 1 else ''} on the way already. Ask again in a while."


def quoted(text: str) -> str:
    """Text of other people so that Discord renders nothing of it: no mention, link or formatting."""
    line = " ".join(text.replace("`", "ˋ").split())
    return f"`{line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + '…'}`" if line else "`(no prompt)`"


def prompt_of(request: Mapping[str, Any]) -> str:
    """The words of a request, whatever its mode."""
    if request["mode"] == "interpolate":
        return f"{request['start']['prompt']}, {request['end']['prompt']}"
    return str(request.get("prompt", ""))


def title(request: Mapping[str, Any], user: int) -> str:
    """What is made for whom."""
    parts = [quoted(prompt_of(request))]
    if request.get("negative_prompt"):
        parts.append(f"without {quoted(request['negative_prompt'])}")
    seed = request.get("seed", request.get("start", {}).get("seed"))
    if seed is not None:
        parts.append(f"seed {seed}")
    return " · ".join([*parts, f"for <@{user}>"])


def progress(job: Mapping[str, Any]) -> str:
    """Where a job that has not ended stands; `job` is its JSON."""
    if job["status"] == "queued":
        queue = job["queue"] or {"position": 0, "eta_s": None}
        place = {0: "Next in the queue", 1: "1 clip ahead"}.get(queue["position"], f"{queue['position']} clips ahead")
        return f"{place}." if queue["eta_s"] is None else f"{place}, about {_duration(queue['eta_s'])} to wait."
    steps = job["progress"]
    if not steps or not steps["total"]:
        return "Starting …"
    filled = BAR_CELLS * steps["step"] // steps["total"]
    return f"`{'█' * filled}{'░' * (BAR_CELLS - filled)}` step {steps['step']} of {steps['total']}"


def clip(job: Mapping[str, Any], user: int) -> str:
    """Above a clip that is done."""
    return "\n".join([title(job["request"], user), *(f"-# {quoted(warning)}" for warning in job["warnings"])])


def too_large(url: str) -> str:
    """Below a clip that Discord doesn't take as a file."""
    return f"It is too large for Discord; [listen to it here](<{url}>) while the link lasts."


def sorry(error: RiffusionError) -> str:
    """Why there is no clip. A code that this version doesn't know is explained in the server's own words."""
    if isinstance(error, InvalidRequest):
        return "That can't be made: " + "; ".join(quoted(f"{f['field']}: {f['message']}") for f in error.fields)
    if error.code == "unreadable_media":
        return f"That file can't be used: {quoted(str(error))}"
    meaning = _MEANING.get(error.code) or f"The server says {quoted(str(error))}."
    if isinstance(error, UnavailableError):
        return f"{meaning} Try again {_when(error.retry_after)}."
    return meaning


def _when(seconds: float) -> str:
    """A moment that Discord counts down to in everybody's own language."""
    return f"<t:{round(time.time() + seconds)}:R>" if seconds >= 1 else "in a minute"


def _duration(seconds: float) -> str:
    """Coarse, so that a message isn't edited for a second more or less."""
    minute = 60
    return f"{max(5, 5 * round(seconds / 5))} s" if seconds < minute else f"{round(seconds / minute)} min"
