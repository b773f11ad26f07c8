"""The operators' JSON bodies, checked by a pydantic model."""

from typing import TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError

from api.json_body import read_json
from riffusion.errors import InvalidRequest

MAX_BYTES = 16 << 10

_Body = TypeVar("_Body", bound=BaseModel)


def read_body(request: Request, model: type[_Body]) -> _Body:
    """The request's body.

    Raises:
        InvalidRequest: fields are missing, unknown or out of range.
        BadRequest, RequestEntityTooLarge, UnsupportedMediaType: see `read_json`.
    """
    try:
        return model.model_validate(read_json(request, MAX_BYTES))
    except ValidationError as error:
        raise InvalidRequest(
            [
                {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
                for item in error.errors(include_url=False)
            ]
        ) from None
