"""Outside data as a request, or an error that names each field."""

import secrets
from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from riffusion.errors import FieldError, InvalidRequest
from riffusion.requests.base import AnyRequest
from riffusion.requests.fields import MAX_SEED, Model
from riffusion.requests.modes import BY_NAME, Request
from riffusion.requests.references import reference_fields

REQUEST: TypeAdapter[AnyRequest] = TypeAdapter(Request)


def parse(data: object) -> AnyRequest:
    """Outside data as a request.

    Raises:
        InvalidRequest: naming each field that is missing, unknown or out of range.
    """
    try:
        return REQUEST.validate_python(data)
    except ValidationError as error:
        raise InvalidRequest([_field_error(item) for item in error.errors(include_url=False)]) from None


def _field_error(item: Any) -> FieldError:
    """pydantic's error with the tags of its unions taken out of the path, which leaves fields."""
    place = [str(part) for part in item["loc"]]
    if not place:
        if item["type"] == "union_tag_not_found":
            return {"field": "mode", "message": "is missing"}
        if item["type"] == "union_tag_invalid":
            return {"field": "mode", "message": f"must be one of {item['ctx']['expected_tags']}"}
        return {"field": "", "message": "must be a JSON object with a mode"}
    mode, *rest = place
    references = reference_fields(BY_NAME[mode])
    path: list[str] = []
    tag = False
    for part in (part for part in rest if part != "[key]"):
        if not tag:
            path.append(part)
        tag = not tag and ".".join(path) in references
    # A rule about several fields belongs to the whole request, but may name the field to change.
    return {"field": ".".join(path) or item.get("ctx", {}).get("field", ""), "message": _message(item, mode)}


def _message(item: Any, mode: str) -> str:
    """What is wrong with a field, in words that say what to do where pydantic's don't."""
    if item["type"] == "extra_forbidden":
        return f"is no field of {mode}; /docs lists its fields"
    return "is missing" if item["type"] == "missing" else str(item["msg"])


_M = TypeVar("_M", bound=Model)


def with_seed(request: _M) -> _M:
    """The same request with every seed that was left out drawn."""
    return _replaced(request, "seed", lambda seed: secrets.randbelow(MAX_SEED + 1) if seed is None else seed)


def with_guidance(request: _M, guidance: float) -> _M:
    """The same request with this guidance wherever it was left out."""
    return _replaced(request, "guidance", lambda given: guidance if given is None else given)


def without_guidance(request: _M) -> _M:
    """The same request with guidance left out everywhere."""
    return _replaced(request, "guidance", lambda _: None)


def _replaced(request: _M, field_name: str, value: Callable[[Any], Any]) -> _M:
    """The request with a field's values replaced, those of its ends, too; the same object where none changes."""
    changed: dict[str, Any] = {}
    for name in type(request).model_fields:
        before = getattr(request, name)
        after = before
        if name == field_name:
            after = value(before)
        elif isinstance(before, Model):
            after = _replaced(before, field_name, value)
        if after is not before:
            changed[name] = after
    return request.model_copy(update=changed) if changed else request
