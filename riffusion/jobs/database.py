"""Redis as the job store uses it: Lua scripts with short timeouts, and its failures as StoreUnavailable."""

from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from redis import Redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.retry import Retry

from riffusion.errors import StoreUnavailable
from riffusion.requests import SCHEMA
from riffusion.settings import Settings

TIMEOUT_S = 1.5
IDEMPOTENCY_S = 86_400
TOMBSTONE_S = 7 * 86_400

# Answers of a Redis that is there but can't serve now: starting, failing over, stuck in a script, its disk full.
_PASSING = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "BUSY", "MISCONF", "UNBLOCKED")

_T = TypeVar("_T")


def connect(settings: Settings) -> Redis:
    """A client of settings.redis_url that gives up after a second or two and never sends anything twice by itself."""
    return Redis.from_url(
        settings.redis_url,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
    )


@cache
def _text(name: str) -> str:
    return (files("riffusion.jobs") / "lua" / f"{name}.lua").read_text()


def _source(name: str, limits: str) -> str:
    """The text of a script: its own first line, which may hold flags, then limits and common.lua, then the rest."""
    shebang, _, body = _text(name).partition("\n")
    return f"{shebang}\nlocal limits = {limits}\n{_text('common')}\n{body}"


def _table(values: Mapping[str, str | float | None]) -> str:
    """Lua for a table of numbers, strings and nothing."""
    return "{" + ", ".join(f"{name} = {_literal(value)}" for name, value in values.items()) + "}"


def _literal(value: str | float | None) -> str:
    if value is None:
        return "nil"
    if isinstance(value, str):
        return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'
    return repr(value)


class Database:
    """Runs the scripts of lua/ on one Redis. Thread-safe."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._scripts: dict[str, Script] = {}
        names = (
            "lease_s", "max_attempts", "max_queued", "degrade_queued", "waiting_deadline_s", "running_deadline_s",
            "stalled_deadline_s", "result_ttl_s", "upload_ttl_s", "max_stored_bytes", "model",
        )  # fmt: skip
        limits = {name: getattr(settings, name) for name in names}
        constants = {"schema": SCHEMA, "idempotency_s": IDEMPOTENCY_S, "tombstone_s": TOMBSTONE_S}
        self._limits = _table(limits | constants)

    def run(self, script: str, *args: str | bytes | float, resend: bool = True) -> Any:
        """A script's answer. Where `resend`, it is sent once more when the connection breaks: it must be idempotent.

        Raises:
            StoreUnavailable: Redis doesn't answer in time, or can't do this now.
        """
        compiled = self._scripts.get(script)
        if compiled is None:
            # This loads nothing yet: EVALSHA is tried first, and a Redis that doesn't know the script is given it.
            compiled = self._scripts[script] = self._redis.register_script(_source(script, self._limits))
        return self._attempt(lambda: compiled(args=args), resend)

    def hash(self, key: str) -> dict[bytes, bytes]:
        """A whole hash; empty when there is none. Raises StoreUnavailable."""
        found: dict[bytes, bytes] = self._attempt(lambda: self._redis.hgetall(key), resend=True)
        return found

    def text(self, key: str) -> str | None:
        """A string; None when there is none. Raises StoreUnavailable."""
        found: bytes | None = self._attempt(lambda: self._redis.get(key), resend=True)
        return None if found is None else found.decode()

    def command(self, *parts: str) -> Any:
        """Any other single command, which must be idempotent. Raises StoreUnavailable."""
        return self._attempt(lambda: self._redis.execute_command(*parts), resend=True)  # type: ignore[no-untyped-call]

    def _attempt(self, call: Callable[[], Any], resend: bool) -> Any:
        try:
            try:
                return call()
            except RedisConnectionError:
                if not resend:
                    raise
                return call()
        except (OutOfMemoryError, ReadOnlyError) as error:
            raise StoreUnavailable("The job store has no room for writes now; try again later.") from error
        except ResponseError as error:
            if str(error).startswith(_PASSING):
                raise StoreUnavailable("The job store can't serve now; try again later.") from error
            raise
        except RedisError as error:
            raise StoreUnavailable("The job store doesn't answer; try again later.") from error


def pairs(flat: list[_T]) -> dict[_T, _T]:
    """Redis's flat list of keys and values as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
