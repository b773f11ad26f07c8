"""The forms of RIFFUSION_REDIS_URL."""

from typing import Any

import pytest

from riffusion.errors import SetupError
from riffusion.jobs.connections import open_pool
from riffusion.jobs.redis_url import RedisUrl, read_url


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("redis://h", {"host": "h"}),
        ("redis://:p%40@h:1/2", {"host": "h", "port": 1, "db": 2, "password": "p@"}),
        ("redis://u:p@h?socket_timeout=4", {"host": "h", "username": "u", "password": "p", "socket_timeout": 4.0}),
    ],
)
def test_one_redis(url: str, options: dict[str, Any]) -> None:
    assert read_url(url) == RedisUrl(url.partition("?")[0].replace(":p%40@", "").replace("u:p@", ""), options)


def test_sentinels() -> None:
    url = read_url("redis+sentinel://u:p@a:1,b,[::1]:3/main/4?sentinel_password=s&socket_timeout=4")
    assert url == RedisUrl(
        "redis+sentinel://a:1,b,[::1]:3/main/4",
        {"username": "u", "password": "p", "db": 4, "socket_timeout": 4.0},
        "main",
        (("a", 1), ("b", 26379), ("::1", 3)),
        {"password": "s"},
    )


def test_sentinels_of_a_redis_without_a_password() -> None:
    url = read_url("redis+sentinel://a/main")
    assert (url.options, url.service, url.sentinel_options) == ({"db": 0}, "main", {})


@pytest.mark.parametrize(
    "url",
    [
        "http://h", "unix:///redis.sock", "h:6379", "redis://:pa/secret@h", "redis+sentinel://a", "redis+sentinel:///main",
        "redis+sentinel://a/main/secret", "redis+sentinel://a:secret/main", "redis+sentinel://a,/main",
    ],
)  # fmt: skip
def test_others_are_refused_without_being_shown(url: str) -> None:
    with pytest.raises(SetupError, match="RIFFUSION_REDIS_URL") as caught:
        open_pool(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["redis://h?pool_size=4", "rediss://h?ssl_cert_reqs=perhaps"])
def test_an_option_that_does_not_exist_is_named_at_once(url: str) -> None:
    with pytest.raises(SetupError, match=r"pool_size|perhaps"):
        open_pool(url)


def test_the_url_bounds_the_pool() -> None:
    pool = open_pool("redis://h?max_connections=3")
    assert [pool._slots.acquire(0) for _ in range(4)] == [True, True, True, False]


def test_nothing_shows_a_password() -> None:
    for url in ("redis://:secret@h", "redis+sentinel://:secret@a/main?sentinel_password=secret"):
        assert "secret" not in repr(read_url(url)) + repr(open_pool(url))
