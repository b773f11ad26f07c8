"""One description of each call makes a method that blocks and one that is awaited."""

import asyncio
import inspect
from collections.abc import AsyncGenerator
from unittest import mock

import pytest

from riffusion.client import AsyncBatch, AsyncClient, AsyncFile, AsyncJob, Batch, Client, File, Job
from riffusion.client.calls import Asynchronous, Blocking, call, stream

PAIRS = [(Client, AsyncClient), (Job, AsyncJob), (Batch, AsyncBatch), (File, AsyncFile)]


def public(kind: type) -> dict[str, object]:
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("blocking", "asynchronous"), PAIRS)
def test_both_kinds_have_one_surface(blocking: type, asynchronous: type) -> None:
    one, other = public(blocking), public(asynchronous)
    assert one.keys() == other.keys()
    for name in one:
        if callable(one[name]):
            assert inspect.signature(getattr(blocking, name)) == inspect.signature(getattr(asynchronous, name)), name
        assert inspect.getdoc(one[name]) == inspect.getdoc(other[name]), name
        assert inspect.getdoc(one[name]), name


def test_tools_see_functions_and_coroutine_functions() -> None:
    assert not inspect.iscoroutinefunction(Client.submit)
    assert inspect.iscoroutinefunction(AsyncClient.submit)
    assert isinstance(mock.create_autospec(Client).submit, mock.MagicMock)
    assert "Queues a job" in str(Client.submit.__doc__)


class Numbers:
    closed = 0

    @call
    async def double(self, number: int, /, *, plus: int = 0) -> int:
        """Twice as much."""
        return 2 * number + plus

    @call
    async def suspend(self) -> None:
        """Suspends."""
        await asyncio.sleep(0)

    @stream
    async def count(self) -> AsyncGenerator[int, None]:
        """0, 1, 2."""
        try:
            for number in range(3):
                yield number
        finally:
            self.closed += 1


class BlockingNumbers(Numbers, Blocking): ...


class AsyncNumbers(Numbers, Asynchronous): ...


def test_blocking() -> None:
    numbers = BlockingNumbers()
    assert numbers.double(2, plus=1) == 5
    assert list(numbers.count()) == [0, 1, 2]
    assert numbers.closed == 1


def test_a_stream_that_is_left_is_closed() -> None:
    numbers = BlockingNumbers()
    for _ in numbers.count():
        break
    assert numbers.closed == 1


def test_blocking_inside_of_an_event_loop() -> None:
    async def main() -> None:
        numbers = BlockingNumbers()
        assert numbers.double(2) == 4
        assert next(numbers.count()) == 0
        assert numbers.closed == 1

    asyncio.run(main())


def test_asynchronous() -> None:
    async def main() -> None:
        numbers = AsyncNumbers()
        assert await numbers.double(2) == 4
        assert [number async for number in numbers.count()] == [0, 1, 2]

    asyncio.run(main())


def test_a_blocking_call_can_not_suspend() -> None:
    with pytest.raises(RuntimeError, match="has suspended"):
        BlockingNumbers().suspend()
