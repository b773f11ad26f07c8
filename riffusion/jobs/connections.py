"""Connections to the Redis that takes writes: a bounded pool of them, which follows a failover.

A server that has become a replica still responds: it refuses writes, and what it returns is stale. So a connection that
finds itself on one is closed, and the pool's others are opened again before their next use, after resolving the address
again.
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

MAX_CONNECTIONS = 32  # of a process; a call uses one for about a millisecond, and a long poll uses none
ACQUIRE_S = 1.5  # for which a call waits for one of them
IDLE_S = 5.0  # after which one is closed
CONNECT_S = 1.0
FOLLOW_S = 0.25  # between two queries to the Sentinels
FOLLOW_AGAIN_S = 5.0  # after a query that failed: a Sentinel that is away delays a call by up to CONNECT_S


class Demoted(RedisConnectionError):
    """The server is a replica now, and has executed nothing of what it was sent."""


class _Following(Connection):
    """Is closed when its server turns out to be a replica."""

    demoted = False
    idle_since = 0.0

    def read_response(self, *args: Any, **options: Any) -> Any:
        """As redis-py's.

        Raises:
            Demoted: the server is a replica.
        """
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
    """Over TLS."""


class _FollowingSentinel(SentinelManagedConnection, _Following):
    """To the server that the Sentinels name when it connects."""


class _FairSemaphore:
    """A semaphore that serves the thread that has waited longest; Python's may serve the same one again and again."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, timeout: float) -> bool:
        """Acquires it within `timeout` seconds; False: the time is up."""
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

    def release(self) -> None:
        """Releases it."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1


class Pool(ConnectionPool):
    """At most `most` connections; a call that finds all in use waits a moment. Thread-safe, and usable in greenlets.

    A connection that has been idle for a while is closed as soon as another one is returned.
    """

    def __init__(self, most: int, **options: Any) -> None:
        self._most = most
        super().__init__(**options)

    def reset(self) -> None:
        """Forgets all connections, as a forked process must."""
        super().reset()
        self._slots = _FairSemaphore(self._most)

    def get_connection(self, *_: object, **__: object) -> Connection:
        """A connection that is open.

        Raises:
            redis.exceptions.TimeoutError: all stay in use.
            redis.exceptions.ConnectionError: it can't be opened.
        """
        self.follow()
        if not self._slots.acquire(ACQUIRE_S):
            raise RedisTimeoutError("All connections to Redis are in use.")
        return super().get_connection()  # which releases what it can't open

    def release(self, connection: Any) -> None:
        """Returns a connection to the pool."""
        was_in_use = connection in self._in_use_connections
        connection.idle_since = time.monotonic()
        super().release(connection)
        if connection.demoted:
            connection.demoted = False
            self.renew()
        self._shrink()
        if was_in_use:
            self._slots.release()

    def follow(self) -> None:
        """Has connections opened again if the address leads to another server, where that can be found out."""

    def renew(self) -> None:
        """Has every connection opened again before its next use: the address may lead to another server now."""
        with self._lock:
            for connection in self._in_use_connections:
                connection.mark_for_reconnect()
        self.disconnect(inuse_connections=False)

    def _shrink(self) -> None:
        idle, since = self._available_connections, time.monotonic() - IDLE_S
        with self._lock:  # the connection used last is taken first, so that unused ones are at the front
            count = next((index for index, each in enumerate(idle) if each.idle_since >= since), len(idle))
            closing, idle[:count] = idle[:count], []
            self._created_connections -= len(closing)
        for connection in closing:
            connection.disconnect()


class _SentinelPool(SentinelConnectionPool, Pool):
    """Of connections to the server that the Sentinels name.

    They are queried all the time: a primary that was replaced acts as one, and closes no connection, for the ten
    seconds that it takes them to demote it.
    """

    _query_at = 0.0
    _followed: tuple[str, int] | None = None

    def follow(self) -> None:
        """Queries them, if it is time."""
        if time.monotonic() < self._query_at:
            return
        self._query_at = time.monotonic() + FOLLOW_S
        try:
            address = self.get_master_address()  # type: ignore[no-untyped-call]
        except RedisError:
            self._query_at = time.monotonic() + FOLLOW_AGAIN_S
            return
        if address != self._followed:
            self._followed = address
            self.renew()


def open_pool(url: str, most: int | None = None, **options: Any) -> Pool:
    """A pool for RIFFUSION_REDIS_URL, which connects when first used; nothing is sent twice by itself.

    Args:
        most: connections; by default the URL's `max_connections`, or MAX_CONNECTIONS.
        options: of redis-py's connections; those in the URL come first.

    Raises:
        SetupError: the URL can't be read.
    """
    address = read_url(url)
    merged = {
        "max_connections": MAX_CONNECTIONS, "socket_timeout": None, "socket_connect_timeout": CONNECT_S,
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
    timeouts = {name: options[name] for name in ("socket_timeout", "socket_connect_timeout", "retry")}
    sentinel_type: Any = Sentinel  # redis-py leaves it untyped, as the pool
    pool_type: Any = _SentinelPool
    sentinel = sentinel_type(address.sentinels, sentinel_kwargs={**timeouts, **address.sentinel_options})
    pool: Pool = pool_type(address.service, sentinel, most=most, connection_class=_FollowingSentinel, **options)
    return pool
