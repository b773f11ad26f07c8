"""Connections to the Redis that takes writes: a bounded pool of them, which follows a failover.

A server that has become a replica goes on talking: it refuses writes, and what it reads out ages. So a connection that
meets one hangs up, and the pool's others are made again before their next use, by asking where the address leads now.
"""

import threading
import time
from collections import deque
from typing import Any

from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MasterDownError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection

from riffusion.errors import SetupError
from riffusion.jobs.redis_url import RedisUrl, read_url

MOST = 32  # connections of a process; a call holds one for about a millisecond, and a held request holds none
PLACE_S = 1.5  # for which a call waits for one of them
IDLE_S = 5.0  # after which one is closed
CONNECT_S = 1.0
FOLLOW_S = 0.25  # between two questions to Sentinels
FOLLOW_AGAIN_S = 5.0  # where none knows: one that is away costs a call up to CONNECT_S


class Demoted(RedisConnectionError):
    """The server is a replica now. What it was sent was not done."""


class _Following(Connection):
    """Hangs up when its server turns out to be a replica."""

    demoted = False
    idle_since = 0.0

    def read_response(self, *args: Any, **options: Any) -> Any:
        """As redis-py's. Raises Demoted."""
        try:
            return super().read_response(*args, **options)  # type: ignore[no-untyped-call]
        except (ReadOnlyError, MasterDownError) as error:
            self._leave()
            raise Demoted("The server is a replica.") from error
        except ResponseError as error:
            if not str(error).startswith("UNBLOCKED"):
                raise
            self._leave()
            raise RedisConnectionError("The server became a replica during a blocking call.") from error

    def _leave(self) -> None:
        self.demoted = True
        self.disconnect()  # type: ignore[no-untyped-call]


class _FollowingTls(_Following, SSLConnection):
    """Through TLS."""


class _FollowingSentinel(SentinelManagedConnection, _Following):
    """To whichever server the Sentinels name when it connects."""


class _Places:
    """A semaphore that serves whoever waited longest: with Python's, one that comes back at once goes first again."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def take(self, timeout: float) -> bool:
        """Takes a place, within so many seconds; False: all stayed taken."""
        turn = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            self._waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self._lock:
            if turn.is_set():
                return True
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        """Gives a place back."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Pool(ConnectionPool):
    """At most `most` connections; who finds all in use waits for a moment. Thread-safe, and usable in greenlets.

    A connection that wasn't needed for a while is closed as soon as another one is returned.
    """

    def __init__(self, most: int, **options: Any) -> None:
        self._most = most
        super().__init__(**options)

    def reset(self) -> None:
        """Forgets all connections, as a forked process must."""
        super().reset()
        self._places = _Places(self._most)

    def get_connection(self, *_: object, **__: object) -> Connection:
        """A connection that is open. Raises redis-py's TimeoutError when all stay in use, ConnectionError."""
        self.follow()
        if not self._places.take(PLACE_S):
            raise RedisTimeoutError("All connections to Redis are in use.")
        return super().get_connection()  # which releases what it can't open

    def release(self, connection: Any) -> None:
        """Takes a connection back."""
        held = connection in self._in_use_connections
        connection.idle_since = time.monotonic()
        super().release(connection)
        if connection.demoted:
            connection.demoted = False
            self.renew()
        self._shrink()
        if held:
            self._places.give()

    def follow(self) -> None:
        """Has connections opened again if the address leads elsewhere, where that can be known."""

    def renew(self) -> None:
        """Has every connection opened again before its next use: the address may lead elsewhere now."""
        with self._lock:
            for connection in self._in_use_connections:
                connection.mark_for_reconnect()
        self.disconnect(inuse_connections=False)

    def _shrink(self) -> None:
        idle, since = self._available_connections, time.monotonic() - IDLE_S
        with self._lock:  # the one that was used last is taken first: those never needed gather at the front
            count = next((index for index, each in enumerate(idle) if each.idle_since >= since), len(idle))
            gone, idle[:count] = idle[:count], []
            self._created_connections -= len(gone)
        for connection in gone:
            connection.disconnect()


class _SentinelPool(SentinelConnectionPool, Pool):
    """Of connections to whichever server the Sentinels name.

    They are asked all the time: a primary that was forced out goes on as one, and closes no connection, for the ten
    seconds that it takes them to demote it.
    """

    _ask_at = 0.0
    _followed: tuple[str, int] | None = None

    def follow(self) -> None:
        """Asks them, if it is time."""
        if time.monotonic() < self._ask_at:
            return
        self._ask_at = time.monotonic() + FOLLOW_S
        try:
            address = self.get_master_address()  # type: ignore[no-untyped-call]
        except RedisError:
            self._ask_at = time.monotonic() + FOLLOW_AGAIN_S
            return
        if address != self._followed:
            self._followed = address
            self.renew()


def open_pool(url: str, most: int | None = None, **options: Any) -> Pool:
    """A pool of RIFFUSION_REDIS_URL, which connects when first used; nothing is sent twice by itself.

    Args:
        most: connections; left out, as many as the URL's `max_connections` says, or MOST.
        options: of redis-py's connections; those in the URL come first.

    Raises:
        SetupError: the URL can't be read.
    """
    address = read_url(url)
    merged = {
        "max_connections": MOST, "socket_timeout": None, "socket_connect_timeout": CONNECT_S,
        "retry": Retry(NoBackoff(), 0), **options, **address.options,
    }  # fmt: skip
    bound: int = merged.pop("max_connections")
    most = most or bound
    secure = merged.pop("connection_class", Connection) is SSLConnection
    try:
        if address.service:
            pool = _sentinel_pool(address, most, merged)
        else:
            pool = Pool(most, connection_class=_FollowingTls if secure else _Following, **merged)
        pool.connection_class(**pool.connection_kwargs)  # opens nothing, and finds an option that doesn't exist
    except (TypeError, RedisError) as error:
        raise SetupError(f"RIFFUSION_REDIS_URL has an option that can't be used: {error}") from error
    return pool


def _sentinel_pool(address: RedisUrl, most: int, options: dict[str, Any]) -> Pool:
    patience = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout", "retry")}
    asked: Any = Sentinel  # redis-py leaves it untyped, as the pool
    pool: Any = _SentinelPool
    sentinel = asked(address.sentinels, sentinel_kwargs={**patience, **address.sentinel_options})
    made: Pool = pool(address.service, sentinel, most=most, connection_class=_FollowingSentinel, **options)
    return made
