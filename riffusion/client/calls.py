"""Calls that are written once, for a client that blocks and for one on an event loop.

Each call is a coroutine, and each list or stream an asynchronous generator. An `Asynchronous` object returns them as
they are, to be awaited. A `Blocking` one runs them at once and without an event loop: where the wire of the other
would suspend, its own blocks, so that a coroutine runs to its end in one step.
"""

import functools
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Blocking:
    """Its calls return results."""


class Asynchronous:
    """Its calls return coroutines."""


def run(coroutine: Awaitable[_T]) -> _T:
    """The result of a coroutine that never suspends."""
    steps = coroutine.__await__()
    try:
        next(steps)
    except StopIteration as end:
        result: _T = end.value
        return result
    raise RuntimeError("A call of a blocking client has suspended.")


def iterate(items: AsyncGenerator[_T, None]) -> Generator[_T, None, None]:
    """The items of an asynchronous generator that never suspends; it is closed with this one."""
    try:
        while True:
            try:
                item = run(items.__anext__())
            except StopAsyncIteration:
                return
            yield item
    finally:
        run(items.aclose())


class _Method:
    """A function for each kind of object, with the signature and the documentation of the one that was written."""

    def __init__(self, blocking: Callable[..., Any], asynchronous: Callable[..., Any]) -> None:
        self._blocking = functools.wraps(asynchronous)(blocking)
        self._asynchronous = asynchronous
        self.__doc__ = asynchronous.__doc__

    def __get__(self, owner: Any, kind: type) -> Any:
        function: Any = self._blocking if issubclass(kind, Blocking) else self._asynchronous
        return function.__get__(owner, kind)


class call(_Method, Generic[_P, _T]):  # noqa: N801 -- a decorator
    """Makes a method of a coroutine function: it returns the coroutine, or its result."""

    def __init__(self, method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _T]]) -> None:
        super().__init__(lambda *args, **kwargs: run(method(*args, **kwargs)), method)

    if TYPE_CHECKING:

        @overload
        def __get__(self, owner: Blocking, kind: type) -> Callable[_P, _T]: ...
        @overload
        def __get__(self, owner: Asynchronous, kind: type) -> Callable[_P, Coroutine[Any, Any, _T]]: ...
        @overload
        def __get__(self, owner: None, kind: type) -> Callable[..., Any]: ...
        def __get__(self, owner: Any, kind: type) -> Any: ...


class stream(_Method, Generic[_P, _T]):  # noqa: N801 -- a decorator
    """Makes a method of an asynchronous generator function: it returns the generator, or one that blocks."""

    def __init__(self, method: Callable[Concatenate[Any, _P], AsyncGenerator[_T, None]]) -> None:
        super().__init__(lambda *args, **kwargs: iterate(method(*args, **kwargs)), method)

    if TYPE_CHECKING:

        @overload
        def __get__(self, owner: Blocking, kind: type) -> Callable[_P, Generator[_T, None, None]]: ...
        @overload
        def __get__(self, owner: Asynchronous, kind: type) -> Callable[_P, AsyncGenerator[_T, None]]: ...
        @overload
        def __get__(self, owner: None, kind: type) -> Callable[..., Any]: ...
        def __get__(self, owner: Any, kind: type) -> Any: ...
