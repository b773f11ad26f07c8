"""Celery accepts JSON only: write access to Redis is not enough to run code in a worker."""

import base64
import json
import os
import pickle
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from redis import Redis

from riffusion.jobs.record import JobStatus
from riffusion.jobs.store import JobStore
from riffusion.jobs.wakeup import TASK, queue_name
from riffusion.settings import Settings
from tests.conftest import wait_until
from tests.worker.conftest import Jobs, Workers, jobs, workers

__all__ = ["jobs", "workers"]


@pytest.fixture
def settings(valkey: object, tmp_path: Path, redis: Redis) -> Settings:
    host = redis.connection_pool.connection_kwargs
    return Settings(redis_url=f"redis://{host['host']}:{host['port']}/0", data_dir=tmp_path / "data")


@pytest.fixture
def store(settings: Settings) -> JobStore:
    return JobStore.connect(settings)


class Harm:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


def message(body: bytes, content_type: str, encoding: str = "base64", **properties: str) -> bytes:
    """As kombu writes one into Redis."""
    return json.dumps({
        "body": base64.b64encode(body).decode(), "content-type": content_type, "content-encoding": "binary",
        "headers": {"lang": "py", "task": TASK, "id": str(uuid.uuid4()), "root_id": None, "parent_id": None,
                    "group": None, "argsrepr": "()", "kwargsrepr": "{}"},
        "properties": {"correlation_id": str(uuid.uuid4()), "delivery_mode": 2, "priority": 0,
                       "delivery_info": {"exchange": "", "routing_key": queue_name("tiny")},
                       "body_encoding": encoding, "delivery_tag": str(uuid.uuid4()), **properties},
    }).encode()  # fmt: skip


def test_messages_with_code_are_refused_and_run_nothing(
    workers: Callable[..., Workers], jobs: Jobs, redis: Redis, tmp_path: Path
) -> None:
    harm = tmp_path / "harm"
    payload = pickle.dumps([[Harm(harm)], {}, {}])
    assert not harm.exists()
    worker = workers().start()
    queue = queue_name("tiny")
    as_yaml = yaml.dump(f"!!python/object/apply:os.system ['touch {harm}']").encode()
    for body, content_type in (
        (payload, "application/x-python-serialize"),
        (payload, "application/json"),
        (as_yaml, "application/x-yaml"),
    ):
        redis.lpush(queue, message(body, content_type))
    wait_until(lambda: redis.llen(queue) == 0, message="the worker takes no messages any more")
    assert jobs.wait(jobs.submit("0")).status is JobStatus.SUCCEEDED
    assert worker.poll() is None
    assert not harm.exists()


def test_the_message_would_have_done_harm(tmp_path: Path) -> None:
    harm = tmp_path / "harm"
    pickle.loads(pickle.dumps(Harm(harm)))  # noqa: S301
    assert harm.exists()
