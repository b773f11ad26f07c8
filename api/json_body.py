"""JSON bodies: strict parsing of requests, by RFC 8259, and responses."""

import json
from typing import Any, TypeVar

from flask import Request, Response
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from riffusion.errors import InvalidRequest

JSON_TYPE = "application/json"
MAX_KEYS = 64  # of one object; requests have half as many at most
MAX_SMALL_BYTES = 16 << 10  # of a body that isn't a request for clips

_Body = TypeVar("_Body", bound=BaseModel)


def json_response(content: BaseModel, status: int = 200, *, cache: str = "private, no-cache") -> Response:
    """A response with JSON content; `cache` is its Cache-Control."""
    response = Response(content.model_dump_json(), status, content_type=JSON_TYPE)
    response.headers["Cache-Control"] = cache
    return response


def read_json(request: Request, limit: int) -> Any:
    """The request's body, at most `limit` bytes of strict JSON.

    Raises:
        UnsupportedMediaType: another content type, or another charset than UTF-8.
        RequestEntityTooLarge: more than `limit` bytes.
        BadRequest: no JSON, or ambiguous JSON.
    """
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype != JSON_TYPE or charset != "utf-8":
        raise UnsupportedMediaType(f"Send JSON in UTF-8, with the header Content-Type: {JSON_TYPE}.")
    return parse_json(read_body(request, limit))


def read_body(request: Request, limit: int) -> bytes:
    """The request's body as it was sent, whatever its content type.

    Raises:
        RequestEntityTooLarge: more than `limit` bytes.
    """
    request.max_content_length = limit + 1  # a longer body without Content-Length is cut off by werkzeug
    data = request.get_data(cache=False)
    if len(data) > limit:
        raise RequestEntityTooLarge
    return data


def read_model(request: Request, model: type[_Body]) -> _Body:
    """The request's body, a small one, checked by a model.

    Raises:
        InvalidRequest: fields are missing, unknown or out of range.
        BadRequest, RequestEntityTooLarge, UnsupportedMediaType: see `read_json`.
    """
    try:
        return model.model_validate(read_json(request, MAX_SMALL_BYTES))
    except ValidationError as error:
        raise InvalidRequest(
            [
                {"field": ".".join(map(str, item["loc"])), "message": item["msg"]}
                for item in error.errors(include_url=False)
            ]
        ) from None


def parse_json(data: bytes) -> Any:
    """Parses strict JSON: no NaN or Infinity, no key twice in one object and at most MAX_KEYS of them, no number or
    nesting beyond what Python reads.

    Raises:
        BadRequest: with a message that says where or why.
    """
    try:
        return json.loads(data.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8: byte {error.start} can't be read.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"This is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply.") from None
    except ValueError:  # Python reads integers of up to 4300 digits
        raise BadRequest("The body has a number with too many digits.") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuses equal keys, of which Python would keep the last and a proxy or log reader the first; and too many keys,
    because the error for each unknown one costs as much as some hundred bytes of text.
    """
    if len(pairs) > MAX_KEYS:
        raise BadRequest(f"The body has an object with more than {MAX_KEYS} keys.")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRequest("The body has an object with the same key twice.")
    return found


def _constant(name: str) -> None:
    raise BadRequest(f"This is not JSON: {name} is not a number in JSON.")
