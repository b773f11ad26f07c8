"""Tenants: who shares the queue, who owns what is made, and how much of it each may have.

A tenant is named `address:<address>`, `key:<key id>`, or `key:<key id>/<end user>` where a key's owner serves many
people. Each has a share of the queue and limits of its own; an IPv6 address counts for the networks around it, too.
What a key's tenants make belongs to the key. What is made without a key belongs to the sender of a secret, if one came
with the request, or else to no one: then the id alone gives access to it.

In Redis, in logs and over HTTP a tenant is called a client.
"""

import hashlib
import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Network
from typing import Any

from riffusion.errors import Blocked, RiffusionError, StorageFull, StoreUnavailable, TooManyRequests
from riffusion.settings import Settings

KEEPING_RETRY_S = 3600  # kept records and files expire within hours
IN_FLIGHT_RETRY_S = 5  # about as long as a short clip takes
MEMORY_RETRY_S = 30
LISTS_PER_MINUTE = 120  # of one tenant: a list costs as much as a hundred polls
MIB = 1 << 20


@dataclass(frozen=True)
class Quota:
    """What one tenant may do; 0 is no limit."""

    creates_per_minute: int = 0
    """Jobs and uploads created; as many at once, after a minute without any."""
    jobs_in_flight: int = 0
    """Jobs that wait or run."""
    jobs_kept: int = 0
    """Records, until they expire or are deleted. Four times as many jobs and uploads may be created in a day."""
    request_bytes: int = 0
    """Bytes of the requests in those records."""
    stored_bytes: int = 0
    """Bytes of files: uploads and results."""


UNLIMITED = Quota()


@dataclass(frozen=True)
class Tenant:
    """Who makes a request, as far as queue, limits and ownership go."""

    name: str
    networks: tuple[str, ...] = ()
    """Those that its address lies in, from narrow to wide; each may have twice as much as the last."""
    owner: str | None = None
    """Who may list and use what the tenant makes; None: anyone who has the id."""
    weight: float = 1.0
    """Share of the queue relative to other tenants; > 0."""
    quota: Quota = field(default=UNLIMITED)

    @property
    def scopes(self) -> tuple[str, ...]:
        """Everything that limits count for: the tenant and its networks."""
        return (self.name, *self.networks)

    @property
    def identity(self) -> str:
        """The owner of what it makes, or its own name where there is none."""
        return self.owner or self.name


def refusal(reply: list[bytes], quota: Quota) -> RiffusionError | None:
    """The error for a script's reply that refuses something for its amount; None for any other reply."""
    match reply:
        case [b"blocked", reason]:
            return Blocked(f"The operator of this server has blocked this client: {reason.decode()}")
        case [b"too many creates" | b"too many a day" as period, seconds]:
            return _too_many_creates(period == b"too many a day", float(seconds), quota)
        case [b"too many", what]:
            return _too_many(what.decode(), quota)
        case [b"no storage"]:
            return StorageFull("This server keeps as many files as it may; try again later.", KEEPING_RETRY_S)
        case [b"no memory"]:
            return StoreUnavailable("The job store's memory is full; try again later.", MEMORY_RETRY_S)
    return None


def _too_many_creates(in_a_day: bool, wait_s: float, quota: Quota) -> TooManyRequests:
    if in_a_day:
        message = f"You may create {4 * quota.jobs_kept} jobs and uploads a day, also if you delete them."
    else:
        message = f"You may create {quota.creates_per_minute} jobs and uploads a minute; try again in {wait_s:.0f} s."
    return TooManyRequests(message, retry_after=math.ceil(wait_s))


def list_refusal(reply: list[Any]) -> TooManyRequests | None:
    """The error for a script's reply that refuses a list; None for any other reply."""
    match reply:
        case [b"too many lists", seconds]:
            message = f"You may ask for {LISTS_PER_MINUTE} lists a minute; poll single jobs instead."
            return TooManyRequests(message, retry_after=math.ceil(float(seconds)))
    return None


def _too_many(what: str, quota: Quota) -> TooManyRequests:
    limit: int = getattr(quota, what)
    if what == "jobs_in_flight":
        message = f"{limit} jobs of yours may wait or run at once; wait for some of them to end."
        return TooManyRequests(message, IN_FLIGHT_RETRY_S)
    kept = {
        "jobs_kept": f"{limit} jobs of yours are kept",
        "request_bytes": f"{limit / MIB:g} MiB of your jobs' requests are kept",
        "stored_bytes": f"{limit / MIB:g} MiB of your uploads and results are kept",
    }
    return TooManyRequests(f"{kept[what]} at most; delete some jobs, or wait until they expire.", KEEPING_RETRY_S)


def anonymous_quota(settings: Settings) -> Quota:
    """What each address may do without a key."""
    return Quota(
        settings.anonymous_creates_per_minute,
        settings.anonymous_jobs_in_flight,
        settings.anonymous_jobs_kept,
        settings.anonymous_request_bytes,
        settings.anonymous_stored_bytes,
    )


def key_tenant(key_id: str, end_user: str | None = None) -> str:
    """The name of the tenant that a key stands for, or of one of the people whom its owner serves."""
    return f"key:{key_id}/{end_user}" if end_user else f"key:{key_id}"


def secret_owner(secret: str) -> str:
    """The owner that a secret stands for, which can't be read back from it."""
    return f"secret:{hashlib.sha256(secret.encode()).hexdigest()[:32]}"


def key_of(tenant: str) -> str | None:
    """The id of the key that a tenant is or belongs to; None of one without a key."""
    return _holder(tenant).removeprefix("key:") if tenant.startswith("key:") else None


def includes(client: str, scopes: Iterable[str]) -> bool:
    """Whether `client` is one of the scopes, the key of one, or a network around one."""
    return any(
        scope == client or (scope.startswith("key:") and _holder(scope) == client) or _lies_in(scope, client)
        for scope in scopes
    )


def owns(identity: str, maker: str) -> bool:
    """Whether `identity` owns what `maker` made: they are the same, or both belong to one key."""
    return _holder(identity) == _holder(maker)


def may_see(identity: str, maker: str) -> bool:
    """Whether `identity` may use a job of which it has the id; one that was made without a key is open to everyone."""
    return not maker.startswith("key:") or owns(identity, maker)


def is_network(client: str) -> bool:
    """Whether other clients may lie within an address's client."""
    return _network(client) is not None


def _lies_in(scope: str, client: str) -> bool:
    outer = _network(client)
    inner = outer and _network(scope)
    return outer is not None and inner is not None and inner.subnet_of(outer)


@lru_cache(4096)  # records come from few networks
def _network(client: str) -> IPv6Network | None:
    if not client.startswith("address:") or "/" not in client:
        return None
    with suppress(ValueError):
        return IPv6Network(client.removeprefix("address:"))
    return None


def _holder(tenant: str) -> str:
    return tenant.partition("/")[0] if tenant.startswith("key:") else tenant
