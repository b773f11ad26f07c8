"""The parameters of an address, checked by a pydantic model."""

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from riffusion.errors import InvalidRequest

PAGE = 20
MAX_PAGE = 100

_Query = TypeVar("_Query", bound=BaseModel)


def read_query(model: type[_Query]) -> _Query:
    """The current request's parameters.

    Raises:
        InvalidRequest: some are unknown or out of range.
    """
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise InvalidRequest(
            [{"field": str(item["loc"][0]), "message": item["msg"]} for item in error.errors(include_url=False)]
        ) from None
