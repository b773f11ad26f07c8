"""Clients: on whose behalf something is made, what that client may use, and how much of it.

A client is `address:<address>`, `key:<key id>`, or `key:<key id>/<end user>` where a key's owner serves many people.
Each has a share of the queue and limits of its own. What a key's clients make belongs to the key.
"""

import math
from dataclasses import dataclass

from riffusion.errors import TooManyRequests


@dataclass(frozen=True)
class Quota:
    """What one client may do; 0 is no limit."""

    creates_per_minute: int = 0  # jobs and uploads; as many at once, after a minute of rest
    jobs_in_flight: int = 0  # that wait or run


UNLIMITED = Quota()


def too_many_creates(quota: Quota, wait_s: float) -> TooManyRequests:
    """What a client is told that may create more after so many seconds."""
    message = f"You may create {quota.creates_per_minute} jobs and uploads a minute; try again in {wait_s:.0f} s."
    return TooManyRequests(message, retry_after=math.ceil(wait_s))


def key_client(key_id: str, end_user: str | None = None) -> str:
    """The client that a key stands for, or one of the people whom its owner serves."""
    return f"key:{key_id}/{end_user}" if end_user else f"key:{key_id}"


def key_of(client: str) -> str | None:
    """The id of the key that a client is or belongs to; None of one without a key."""
    return _owner(client).removeprefix("key:") if client.startswith("key:") else None


def owns(client: str, maker: str) -> bool:
    """Whether what `maker` made is `client`'s: its own, or that of another person whom the same key's owner serves."""
    return _owner(client) == _owner(maker)


def may_see(client: str, maker: str) -> bool:
    """Whether `client` may use a job whose id it knows; one that was made without a key is open to whoever knows it."""
    return not maker.startswith("key:") or owns(client, maker)


def _owner(client: str) -> str:
    return client.partition("/")[0] if client.startswith("key:") else client
