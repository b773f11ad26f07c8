"""Redis as the job store uses it: Lua scripts with short timeouts, and its failures as StoreUnavailable.

With `settings.redis_replicas`, a script whose effect a client or a worker relies on returns only when that many
replicas have it: a failover to one of them doesn't lose it.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError, ResponseError

from riffusion.errors import SetupError, StoreUnavailable
from riffusion.jobs.connections import Demoted, open_pool
from riffusion.requests import SCHEMA
from riffusion.settings import Settings

TIMEOUT_S = 1.5
REPLICAS_S = 1.0  # time for the replicas to acknowledge, less than TIMEOUT_S
IDEMPOTENCY_S = 86_400
TOMBSTONE_S = 7 * 86_400
BATCH_DEADLINE_S = 7 * 86_400  # from which on a batch's requests that aren't jobs yet fail

# Errors of a Redis that can't serve now: starting, failing over, running a long script, its disk full.
_TRANSIENT = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "BUSY", "MISCONF", "UNBLOCKED")

# Scripts with effects that a client is promised, or that a worker acts on or won't repeat.
_REPLICATED = frozenset({
    "accept", "add_upload", "publish_clip", "claim", "finish", "cancel", "delete_job", "requeue_job", "set_model_state",
    "retire_model", "delete_upload", "replace_key", "transfer_job", "transfer_upload", "write_audit", "lose_job",
    "purge_job", "forget_client", "revoke_key", "block_client", "commit_batch", "cancel_batch",
    "delete_batch", "purge_batch", "transfer_batch", "list_clip", "take_down_clip", "restore_clip",
})  # fmt: skip

# The line in which a script names files whose functions it uses, beside those of common.lua.
_USES = re.compile(r"^-- uses: (.*)$", re.MULTILINE)

_T = TypeVar("_T")


def connect(settings: Settings) -> Redis:
    """A client of `settings.redis_url` with timeouts of a second or two, which sends nothing twice by itself.

    Raises:
        SetupError: the URL can't be read.
    """
    return Redis.from_pool(open_pool(settings.redis_url, socket_timeout=TIMEOUT_S))


def refuse_cluster(redis: Redis) -> None:
    """Refuses a Redis in cluster mode; one that doesn't respond, or reports no mode, passes.

    Raises:
        SetupError: Redis is in cluster mode.
    """
    try:
        cluster = redis.info("cluster").get("cluster_enabled")  # type: ignore[union-attr]  # not the asynchronous one
    except RedisError:
        return
    if cluster:
        raise SetupError(
            "The Redis of RIFFUSION_REDIS_URL is in cluster mode, where the job store can't run: each of its "
            "scripts changes keys of several slots. Use one with `cluster-enabled no`; replicas and Sentinel protect "
            "against the loss of its machine."
        )


@cache
def _text(name: str) -> str:
    return (files("riffusion.jobs") / "lua" / f"{name}.lua").read_text()


def _source(name: str, limits: str) -> str:
    """The text of a script: its own first line, which may hold flags, then limits and what it uses, then the rest."""
    shebang, _, body = _text(name).partition("\n")
    uses = _USES.search(body)
    shared = "\n".join(map(_text, ("common", *(uses[1].split(", ") if uses else ()))))
    return f"{shebang}\nlocal limits = {limits}\n{shared}\n{body}"


def _table(values: Mapping[str, str | float | None]) -> str:
    """A Lua table of numbers, strings and nil."""
    return "{" + ", ".join(f"{name} = {_literal(value)}" for name, value in values.items()) + "}"


def _literal(value: str | float | None) -> str:
    if value is None:
        return "nil"
    if isinstance(value, str):
        return '"' + "".join(f"\\{byte:03d}" for byte in value.encode()) + '"'
    return repr(value)


class Database:
    """Runs the scripts of lua/ and single commands on one Redis. Thread-safe; every method raises as `run`."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._scripts: dict[str, Script] = {}
        self._replicas = settings.redis_replicas
        names = (
            "lease_s", "max_attempts", "max_queued", "degrade_queued", "waiting_deadline_s", "running_deadline_s",
            "stalled_deadline_s", "result_ttl_s", "upload_ttl_s", "max_stored_bytes", "model",
        )  # fmt: skip
        limits = {name: getattr(settings, name) for name in names}
        constants = {"schema": SCHEMA, "idempotency_s": IDEMPOTENCY_S, "tombstone_s": TOMBSTONE_S}
        constants["batch_deadline_s"] = BATCH_DEADLINE_S
        self._limits = _table(limits | constants)

    def run(self, script: str, *args: str | bytes | float, resend: bool = True) -> Any:
        """Runs a script and returns its reply.

        Args:
            resend: whether it is sent once more when the connection breaks; then it must be idempotent.

        Raises:
            StoreUnavailable: Redis doesn't respond in time, or can't do this now. Or too few replicas acknowledged in
                time what the script did, which may or may not survive a failover.
        """
        compiled = self._scripts.get(script)
        if compiled is None:
            # This loads nothing yet: EVALSHA is tried first, and the script is loaded where Redis doesn't have it.
            compiled = self._scripts[script] = self._redis.register_script(_source(script, self._limits))
        if script in _REPLICATED:
            return self._replicated(lambda client: compiled(args=args, client=client), resend)
        return self._attempt(lambda: compiled(args=args), resend)

    def hash(self, key: str) -> dict[bytes, bytes]:
        """A whole hash; empty when there is none."""
        found: dict[bytes, bytes] = self._attempt(lambda: self._redis.hgetall(key), resend=True)
        return found

    def text(self, key: str) -> str | None:
        """A string; None when there is none."""
        found = self.blob(key)
        return None if found is None else found.decode()

    def blob(self, key: str) -> bytes | None:
        """A string of any bytes; None when there is none."""
        found: bytes | None = self._attempt(lambda: self._redis.get(key), resend=True)
        return found

    def command(self, *parts: str) -> Any:
        """Any other single command that reads."""
        return self._attempt(lambda: self._redis.execute_command(*parts), resend=True)  # type: ignore[no-untyped-call]

    def now(self) -> float:
        """Redis's time, which is the same for all processes: Unix seconds."""
        seconds, microseconds = map(float, self.command("TIME"))
        return seconds + microseconds / 1e6

    def write(self, *parts: str) -> Any:
        """Any other single command that writes, acknowledged by replicas; it must be idempotent."""
        return self._replicated(lambda client: client.execute_command(*parts), resend=True)  # type: ignore[no-untyped-call]

    def scan(self, pattern: str) -> Iterator[list[str]]:
        """The names of the keys that match a pattern, in pages; one that is there all the while is among them."""
        cursor: Any = 0
        while True:
            cursor, page = self.command("SCAN", str(cursor), "MATCH", pattern, "COUNT", "1000")
            if page:
                yield [name.decode() for name in page]
            if not int(cursor):
                return

    def members(self, key: str, pattern: str = "*") -> Iterator[str]:
        """The members of a sorted set that match a pattern, read in pages; see `scan`."""
        cursor: Any = 0
        while True:
            cursor, page = self.command("ZSCAN", key, str(cursor), "MATCH", pattern, "COUNT", "1000")
            yield from (member.decode() for member, _ in page)
            if not int(cursor):
                return

    def many(self, commands: Iterable[Sequence[str]]) -> list[Any]:
        """The replies to several commands that read, in one round trip."""
        batch = list(commands)

        def send() -> list[Any]:
            with self._redis.pipeline(transaction=False) as pipeline:
                for parts in batch:
                    pipeline.execute_command(*parts)  # type: ignore[no-untyped-call]
                return pipeline.execute()

        found: list[Any] = self._attempt(send, resend=True)
        return found

    def _replicated(self, call: Callable[[Redis], Any], resend: bool) -> Any:
        """As `_attempt`, and waits for replicas, in one pipeline so that both go to one server during a failover.

        A call that writes nothing, because it was repeated, would leave WAIT with nothing to wait for. So a message is
        published between the two: it has no subscribers, but is replicated after everything that the call has read.
        """
        if not self._replicas:
            return self._attempt(lambda: call(self._redis), resend)

        def call_and_wait() -> Any:
            with self._redis.pipeline(transaction=False) as pipeline:
                call(pipeline)
                pipeline.publish("replicated", "")
                pipeline.execute_command("WAIT", self._replicas, round(REPLICAS_S * 1000))  # type: ignore[no-untyped-call]
                reply, _, acknowledged = pipeline.execute(raise_on_error=False)
            if isinstance(reply, RedisError):
                raise reply
            if not isinstance(acknowledged, int) or acknowledged < self._replicas:
                self._redis.connection_pool.disconnect(inuse_connections=False)  # another may be the primary by now
                raise StoreUnavailable(
                    "The job store's replicas didn't acknowledge in time. It may have been done all the same: repeat "
                    "the request, a POST that creates with its Idempotency-Key."
                )
            return reply

        return self._attempt(call_and_wait, resend)

    def _attempt(self, call: Callable[[], Any], resend: bool) -> Any:
        try:
            try:
                return call()
            except RedisConnectionError as error:
                if not (resend or isinstance(error, Demoted)):
                    raise
                return call()
        except (OutOfMemoryError, ReadOnlyError) as error:
            raise StoreUnavailable("The job store has no room for writes now; try again later.") from error
        except ResponseError as error:
            if str(error).startswith(_TRANSIENT):
                raise StoreUnavailable("The job store can't serve now; try again later.") from error
            raise
        except RedisError as error:
            raise StoreUnavailable("The job store doesn't respond; try again later.") from error


def pairs(flat: list[_T]) -> dict[_T, _T]:
    """A flat list of keys and values, as scripts return hashes, as a dict."""
    return dict(zip(flat[::2], flat[1::2], strict=True))
