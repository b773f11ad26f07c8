"""The `operation` decorator: what the OpenAPI document says about a view, next to the view."""

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
    """One status with which a view responds, apart from problems."""

    description: str
    content: Mapping[str, Any] = field(default_factory=dict)
    """Media type -> pydantic type, or BINARY."""
    headers: tuple[str, ...] = ()
    """Names in openapi.HEADERS."""


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    summary: str
    replies: Mapping[int, Reply]
    """By status."""
    problems: tuple[ErrorClass, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)
    """Media type -> pydantic type."""
    query: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    """Names in openapi.REQUEST_HEADERS."""


def operation(
    summary: str,
    replies: Mapping[int, Reply],
    *,
    problems: tuple[ErrorClass, ...] = (),
    body: Mapping[str, Any] | None = None,
    query: type[BaseModel] | None = None,
    headers: tuple[str, ...] = (),
) -> Callable[[_View], _View]:
    """Describes a view's requests and responses. The view's docstring is the operation's description."""

    def decorate(view: _View) -> _View:
        setattr(view, _ATTRIBUTE, Operation(summary, replies, problems, body or {}, query, headers))
        return view

    return decorate


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """The operation that describes a view, if any."""
    found: Operation | None = getattr(view, _ATTRIBUTE, None)
    return found
