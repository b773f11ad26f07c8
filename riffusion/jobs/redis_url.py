"""RIFFUSION_REDIS_URL: one Redis, with or without TLS, or a service that Sentinels monitor.

    redis://[[user]:password@]host[:port][/db][?option=value&...]
    rediss://...    the same through TLS; `?ssl_ca_certs=FILE` names the authorities, by default the system's
    redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/service[/db][?option=value&...]
                    user and password are Redis's; the Sentinels' own are `sentinel_username`, `sentinel_password`

Options are those of redis-py's connections. `max_connections` bounds a process's pool.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.connection import parse_url

from riffusion.errors import SetupError

_SENTINEL = "redis+sentinel"
_SENTINEL_PORT = 26379


@dataclass(frozen=True)
class RedisUrl:
    """The parts of an address."""

    shown: str
    """Without credentials, for logs."""
    options: Mapping[str, Any] = field(repr=False)
    """Of a connection to Redis."""
    service: str = ""
    """That the Sentinels monitor; empty where there are none."""
    sentinels: tuple[tuple[str, int], ...] = ()
    """Hosts and ports."""
    sentinel_options: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of a connection to a Sentinel."""


def read_url(url: str) -> RedisUrl:
    """The parts of the address.

    Raises:
        SetupError: it can't be read. The message repeats nothing of it, since any part may belong to a password.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == _SENTINEL:
            return _sentinel(parts)
        if parts.scheme in ("redis", "rediss"):
            return RedisUrl(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", _options(url))
    except ValueError:
        pass
    raise SetupError(
        "RIFFUSION_REDIS_URL can't be read. It looks like redis://host:6379/0, rediss://host:6379/0 or "
        "redis+sentinel://host:26379,host:26379/service/0; characters of a password other than letters and digits "
        "are written as %XX."
    )


def _sentinel(parts: SplitResult) -> RedisUrl:
    user, _, hosts = parts.netloc.rpartition("@")
    service, _, database = parts.path.strip("/").partition("/")
    if not service:
        raise ValueError
    query = dict(parse_qsl(parts.query))
    own = {name: query.pop(f"sentinel_{name}") for name in ("username", "password") if f"sentinel_{name}" in query}
    return RedisUrl(
        f"{_SENTINEL}://{hosts}{parts.path}",
        # Parsed with a dummy host: the Sentinels name the real one, and the rest of the address is the same.
        {"db": int(database or 0), **_without_host(_options(f"redis://{user}@-?{urlencode(query)}"))},
        service,
        tuple(_host(each) for each in hosts.split(",")),
        own,
    )


def _options(url: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    return found


def _without_host(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in ("host", "port")}


def _host(text: str) -> tuple[str, int]:
    host = urlsplit(f"//{text}")
    if not host.hostname:
        raise ValueError
    return host.hostname, host.port or _SENTINEL_PORT
