"""A connection that closes takes nothing with it and puts nothing back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from kombu.connection import Connection
from kombu.entity import Queue
from redis import Redis

from tests.conftest import ValkeyServer, wait_until

connect: Any = Connection  # kombu's functions carry no types
queue: Any = Queue
Delivered = tuple[Any, Callable[[], None]]


@pytest.fixture
def delivered(valkey: ValkeyServer, redis: Redis) -> Iterator[Delivered]:
    """A connection with a message that was delivered and not acknowledged, and how to acknowledge it."""
    with connect(valkey.url, transport="worker.transport:Transport") as connection:
        messages: list[Any] = []
        connection.SimpleQueue("hints").put("there is work")
        consumer = connection.Consumer(queue("hints"), callbacks=[lambda _body, message: messages.append(message)])
        with consumer:
            connection.drain_events(timeout=10)
        assert redis.hlen("unacked") == 1
        yield connection, messages[0].ack


def test_what_was_not_acknowledged_is_not_put_back(delivered: Delivered, redis: Redis) -> None:
    connection, _ = delivered
    connection.close()
    assert (redis.llen("hints"), redis.hlen("unacked")) == (0, 1)


def test_a_message_may_be_acknowledged(delivered: Delivered, redis: Redis) -> None:
    _, acknowledge = delivered
    acknowledge()
    wait_until(lambda: redis.hlen("unacked") == 0)


def test_acknowledging_on_a_closed_connection_does_nothing(delivered: Delivered, redis: Redis) -> None:
    connection, acknowledge = delivered
    connection.close()
    acknowledge()
    assert redis.hlen("unacked") == 1
