"""A real server opens few connections to Redis, however many requests there are, and closes them again."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from typing import Any

import httpx
import pytest
from redis import Redis

from riffusion.jobs.connections import IDLE_S, MAX_CONNECTIONS
from tests.api.conftest import LiveServer, serve
from tests.conftest import ValkeyServer, wait_until

ASKING = 400
HELD = 100
BROKER = 10  # connections of a process through which wake-ups are published
STALL_S = 1.0


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A Redis that refuses more connections than two processes may have, and this test."""
    server = ValkeyServer.start(tmp_path, "--maxclients", str(LiveServer.WORKERS * (MAX_CONNECTIONS + BROKER) + 2))
    yield server
    server.kill()


async def ask(path: str, times: int, **headers: str) -> list[int]:
    """Statuses of so many GETs at once."""
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(timeout=60, limits=limits, headers=headers) as client:
        return [response.status_code for response in await asyncio.gather(*(client.get(path) for _ in range(times)))]


def held_requests(live: LiveServer) -> int:
    lines = httpx.get(f"{live.url}/metrics", timeout=60).text.splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("riffusion_http_held_requests"))


def connected(redis: Redis) -> int:
    found: Any = redis.info("clients")  # typed as if it could be asynchronous
    return int(found["connected_clients"])


def rejected(redis: Redis) -> int:
    found: Any = redis.info("stats")
    return int(found["rejected_connections"])


def test_a_stall_opens_few_connections_which_are_closed_again(narrow: ValkeyServer, tmp_path: Path) -> None:
    with (
        serve(narrow, tmp_path, connections=2000, redis_url=narrow.url) as live,
        Redis.from_url(narrow.url) as redis,
        ThreadPoolExecutor(1) as pool,
    ):
        path = live.submit()
        tag = httpx.get(path).headers["ETag"]
        held = pool.submit(asyncio.run, ask(path, HELD, **{"If-None-Match": tag, "Prefer": "wait=6"}))
        wait_until(lambda: held_requests(live) == HELD, message="they are not held")
        narrow.pause()
        Timer(STALL_S, narrow.resume).start()
        statuses = asyncio.run(ask(path, ASKING))
        assert set(statuses) <= {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE}
        assert statuses.count(HTTPStatus.OK) > ASKING / 2
        assert set(held.result()) <= {HTTPStatus.NOT_MODIFIED, HTTPStatus.SERVICE_UNAVAILABLE}
        assert rejected(redis) == 0
        wait_until(lambda: connected(redis) < MAX_CONNECTIONS, 4 * IDLE_S, f"kept: {connected(redis)}")
