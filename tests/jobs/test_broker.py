"""A message that was delivered is gone from Redis, whatever happens to its connection."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Queue
from redis import Redis

from tests.conftest import ValkeyServer

connect: Any = Connection  # kombu's functions carry no types
queue: Any = Queue
Delivered = tuple[Any, Callable[[], None]]


@pytest.fixture
def delivered(valkey: ValkeyServer, redis: Redis) -> Iterator[Delivered]:
    """A connection with a message that was delivered and not acknowledged, and how to acknowledge it."""
    options = {"redis_url": valkey.url}
    with connect("redis://", transport="riffusion.jobs.broker:Transport", transport_options=options) as connection:
        messages: list[Any] = []
        connection.SimpleQueue("hints").put("there is work")
        consumer = connection.Consumer(queue("hints"), callbacks=[lambda _body, message: messages.append(message)])
        with consumer:
            connection.drain_events(timeout=10)
        assert redis.llen("hints") == 0
        yield connection, messages[0].ack


def test_what_was_not_acknowledged_is_neither_kept_nor_put_back(delivered: Delivered, redis: Redis) -> None:
    connection, _ = delivered
    assert not redis.exists("unacked", "unacked_index")
    connection.close()
    assert redis.llen("hints") == 0


def test_acknowledging_on_a_closed_connection_does_nothing(delivered: Delivered, redis: Redis) -> None:
    connection, acknowledge = delivered
    connection.close()
    acknowledge()
    assert redis.llen("hints") == 0
