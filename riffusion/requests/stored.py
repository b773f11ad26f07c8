"""The form in which a request is kept: without what it leaves to the defaults.

So a record is small, and a worker of the version before, which lacks the newest fields, can still make it.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from riffusion.requests.base import GUIDANCE_END_SCHEMA, AnyRequest, Painted
from riffusion.requests.modes import BY_NAME, MODES

SCHEMA = max(GUIDANCE_END_SCHEMA, *(mode.SCHEMA for mode in MODES))
"""The newest version of the request format that this code can make."""

_NOT_STORED = ("fresh", "webhook")  # about the job, not about the clip
_LATER = ("timestep_spacing", "mask", "guidance_end")  # fields that version 1 lacks; None where they aren't used
_SAMPLER = {"scheduler": "dpm++2m", "steps": 20}
"""What a stored request without them has; only requests that aren't accepted yet leave them to the model."""
_REQUIRED = object()


def stored_form(request: AnyRequest) -> dict[str, Any]:
    """A request's JSON without the fields that have their default values."""
    defaults = _defaults(request.MODE)
    values = request.model_dump(mode="json", exclude=set(_NOT_STORED))
    return {name: value for name, value in values.items() if name == "mode" or value != defaults[name]}


def first_form(request: AnyRequest) -> dict[str, Any]:
    """A request's JSON with its defaults, as version 1 of the format has it: without later fields that aren't used.

    There, fast is called draft, and each quality is one sampler.
    """
    values = request.model_dump(mode="json")
    if request.quality == "fast":
        values["quality"] = "draft"
    if isinstance(request, Painted):
        values |= request.sampler._asdict()
    return {name: value for name, value in values.items() if name not in _LATER or value is not None}


def with_defaults(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A stored request's JSON with its defaults; one of a mode that this version lacks, as it is."""
    filled = {**_defaults(stored["mode"]), **stored}
    return {name: value for name, value in filled.items() if value is not _REQUIRED}


@cache
def _defaults(mode: str) -> dict[str, Any]:
    """Every stored field of a mode, in order, with its default or `_REQUIRED`."""
    fields = BY_NAME[mode].model_fields if mode in BY_NAME else {}
    return {
        name: _SAMPLER.get(name, _REQUIRED if field.is_required() else field.default)
        for name, field in fields.items()
        if name not in _NOT_STORED
    }
