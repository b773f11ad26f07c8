"""What each view says about itself for the OpenAPI document, next to the view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel
from werkzeug.exceptions import HTTPException

from riffusion.errors import RiffusionError

_ATTRIBUTE = "__operation__"
BINARY: None = None  # a media type whose content is bytes

_View = TypeVar("_View", bound=Callable[..., Any])
ErrorClass = type[RiffusionError] | type[HTTPException]


@dataclass(frozen=True)
class Reply:
    """One status that a view answers with, beside its problems."""

    description: str
    content: Mapping[str, Any] = field(default_factory=dict)  # media type -> pydantic type, or BINARY
    headers: tuple[str, ...] = ()  # names in openapi.HEADERS


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    summary: str
    replies: Mapping[int, Reply]
    problems: tuple[ErrorClass, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)  # media type -> pydantic type
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()  # names in openapi.REQUEST_HEADERS


def operation(
    summary: str,
    replies: Mapping[int, Reply],
    *,
    problems: tuple[ErrorClass, ...] = (),
    body: Mapping[str, Any] | None = None,
    query: type[BaseModel] | None = None,
    headers: tuple[str, ...] = (),
) -> Callable[[_View], _View]:
    """Marks a view with what it takes and answers. Its docstring is the description."""

    def mark(view: _View) -> _View:
        setattr(view, _ATTRIBUTE, Operation(summary, replies, problems, body or {}, query, headers))
        return view

    return mark


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """What a view was marked with."""
    found: Operation | None = getattr(view, _ATTRIBUTE, None)
    return found
