"""Every text that the bot sends, written for people who don't know how it works."""

import time
from collections.abc import Mapping
from typing import Any

from riffusion.client.models import JobData, Queue
from riffusion.errors import InvalidRequest, RiffusionError, UnavailableError
from riffusion.requests import title as clip_title

MAX_SHOWN = 300  # characters of a prompt
MAX_WARNINGS = 4  # as many long ones as fit into a message of 2000 characters
BAR_CELLS = 12

BLOCKED = "The prompt has a word that isn't welcome here. Please use another."
NOT_YOURS = "Only the person who asked for this clip can delete it."
SERVER_AWAY = "The music server doesn't respond right now. Your clip isn't lost; I keep trying."
STYLE_HAS_LENGTH = "A style clip sets the length: leave out `length` or `style`."
STYLE_TOO_LARGE = "That file is too large for a style clip: send one of at most 25 MB."
BUG = "Something went wrong in the bot. Its log has the reason, for the people who run it."

_MEANING = {
    "queue_full": "So many clips are waiting that the music server accepts no more right now.",
    "model_draining": "This model makes no new clips at the moment.",
    "too_many_requests": "You have reached the limit for one person.",
    "unauthorized": "The music server refuses this bot: the people who run it have to give it a key.",
    "blocked": "The music server accepts nothing from you at the moment.",
    "overloaded": "The music server is overloaded right now.",
    "store_unavailable": "The music server has trouble with its queue right now.",
    "storage_unavailable": "The music server can't reach its files right now.",
    "storage_full": "The music server has no room for more clips right now.",
    "unavailable": "The music server doesn't respond right now.",
    "unknown_reference": "What this starts from is no longer on the music server, which keeps clips for a while only.",
    "not_found": "The music server has no such clip.",
    "gone": "This clip is no longer on the music server, which keeps clips for a while only.",
    "result_lost": "The music server has lost this clip. Make it again.",
    "deadline_exceeded": "It took longer than the music server allows. Try again when it is less busy.",
    "worker_lost": "The machines that worked on it failed more than once. Try again in a while.",
    "model_retired": "The music server has taken the model for it out of service.",
    "canceled": "It was canceled.",
    "out_of_memory": "It is too large for the music server's memory. Try a shorter clip.",
    "broken_sound": "The sound came out broken. Try again, or start from another picture.",
    "inaudible_sound": "Nothing in the result can be heard. Start from another picture or sound.",
    "broken_picture": "The model produced nothing that can be heard. Try another seed or prompt.",
}


def user_limit_reached(limit: int) -> str:
    """Refuses the request of a user whose limit is reached."""
    return f"You have {_clips(limit)} on the way already. Ask again when one is done."


def guild_limit_reached(limit: int) -> str:
    """Refuses a request from a Discord server whose limit is reached."""
    return f"This Discord server has {_clips(limit)} on the way already. Ask again in a while."


def quoted(text: str) -> str:
    """A person's text as code, so that Discord renders no mention, link or formatting in it."""
    line = " ".join(text.replace("`", "ˋ").split())
    return f"`{line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + '…'}`" if line else "`(no prompt)`"


def prompt_of(request: Mapping[str, Any]) -> str:
    """The prompt of a request, whatever its mode; of one with two ends, both."""
    ends = [request[end]["prompt"] for end in ("start", "end") if end in request]
    return str(request.get("prompt") or ", ".join(filter(None, ends)))


def title(request: Mapping[str, Any], user: int) -> str:
    """What is being made, and for whom."""
    parts = [quoted(clip_title(request))]
    if request.get("negative_prompt"):
        parts.append(f"without {quoted(request['negative_prompt'])}")
    seed = request.get("seed", request.get("start", {}).get("seed"))
    if seed is not None:
        parts.append(f"seed {seed}")
    return " · ".join([*parts, f"for <@{user}>"])


def progress(job: JobData) -> str:
    """The state of a job that has not ended."""
    if job.status == "queued":
        queue = job.queue or Queue(position=0)
        place = {0: "Next in the queue", 1: "1 clip ahead"}.get(queue.position, f"{queue.position} clips ahead")
        if queue.paused:
            return f"{place}; the server has paused this model."
        return f"{place}." if queue.eta_s is None else f"{place}, about {_duration(queue.eta_s)} to wait."
    steps = job.progress
    if not steps or not steps.total:
        return "Starting …"
    filled = BAR_CELLS * steps.step // steps.total
    return f"`{'█' * filled}{'░' * (BAR_CELLS - filled)}` step {steps.step} of {steps.total}"


def clip(job: JobData, user: int) -> str:
    """The text above a finished clip."""
    warnings = (f"-# {quoted(warning)}" for warning in job.warnings[:MAX_WARNINGS])
    return "\n".join([title(job.request, user), *warnings])


def too_large(url: str) -> str:
    """The link that replaces a file that Discord refuses for its size."""
    return f"It is too large for Discord: [listen to it here](<{url}>) while the link is valid."


def explain(error: RiffusionError) -> str:
    """Why there is no clip. For a code that this version has no text for, the server's own message is quoted."""
    if isinstance(error, InvalidRequest):
        return "That can't be made: " + "; ".join(quoted(f"{f['field']}: {f['message']}") for f in error.fields)
    if error.code == "unreadable_media":
        return f"That file can't be used: {quoted(str(error))}"
    meaning = _MEANING.get(error.code) or f"The music server says {quoted(str(error))}."
    if isinstance(error, UnavailableError):
        return f"{meaning} Try again {_when(error.retry_after)}."
    return meaning


def _clips(count: int) -> str:
    return f"{count} clip{'s' if count > 1 else ''}"


def _when(seconds: float) -> str:
    """A time that Discord shows as a countdown, in the reader's language; in a minute where there is none."""
    return f"<t:{round(time.time() + seconds)}:R>" if seconds >= 1 else "in a minute"


def _duration(seconds: float) -> str:
    """A duration rounded coarsely, so that a second more or less edits no message."""
    minute = 60
    return f"{max(5, 5 * round(seconds / 5))} s" if seconds < minute else f"{round(seconds / minute)} min"
