"""Outside data as a request, or an error that names each field."""

import secrets
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from riffusion.errors import FieldError, InvalidRequest
from riffusion.requests.fields import MAX_SEED
from riffusion.requests.modes import AnyRequest, InterpolationEnd, Request
from riffusion.requests.references import REFERENCE_FIELDS

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
    """pydantic's error with the tags of its unions taken out of the path: a caller knows fields only."""
    place = [str(part) for part in item["loc"]]
    if not place:
        if item["type"] == "union_tag_not_found":
            return {"field": "mode", "message": "is missing"}
        if item["type"] == "union_tag_invalid":
            return {"field": "mode", "message": f"must be one of {item['ctx']['expected_tags']}"}
        return {"field": "", "message": "must be a JSON object with a mode"}
    path: list[str] = []
    skip = True  # the first part is the mode
    for part in (part for part in place if part != "[key]"):
        if not skip:
            path.append(part)
        skip = not skip and part in REFERENCE_FIELDS
    return {"field": ".".join(path), "message": item["msg"]}


_M = TypeVar("_M", bound=BaseModel)


def with_seed(request: _M) -> _M:
    """The same request with every seed that was left out drawn."""
    drawn: dict[str, Any] = {}
    for name, field in type(request).model_fields.items():
        value = getattr(request, name)
        if name == "seed" and value is None:
            drawn[name] = secrets.randbelow(MAX_SEED + 1)
        elif field.annotation is InterpolationEnd:
            drawn[name] = with_seed(value)
    return request.model_copy(update=drawn)
