"""Wake-ups: Celery messages that only say that there is work for a model.

kombu keeps the messages of a queue in a Redis list of the queue's name, so LLEN counts those that wait; those in the
hash `unacked` were taken by a worker already and wake no other. lua/common.lua counts by the same name.
"""

import threading
from functools import cached_property
from typing import Any

from redis.exceptions import RedisError

from riffusion.settings import Settings

TASK = "riffusion.work"
_AT_ONCE = 4  # publishing threads, each with a connection; kombu's pool would wait for one without a limit
_TURN_S = 1.0


def queue_name(model: str) -> str:
    """The Celery queue of a model's workers; on Redis, also the key of the list that holds its messages."""
    return f"riffusion.{model}"


class WakeUps:
    """Publishes wake-ups. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = threading.BoundedSemaphore(_AT_ONCE)

    @cached_property
    def _celery(self) -> Any:
        from riffusion.jobs.broker import create_celery  # a third of the time that the API takes to start

        options = {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
        return create_celery(self._settings, options, broker_pool_limit=_AT_ONCE)

    def publish(self, model: str, count: int = 1) -> bool:
        """Sends `count` wake-ups to a model's workers; False when the broker doesn't accept them.

        That is no error: the reaper sends those that are missing, so the job starts about a second later.
        """
        from kombu.exceptions import KombuError

        if not self._turns.acquire(timeout=_TURN_S):
            return False
        try:
            for _ in range(count):
                self._celery.send_task(TASK, queue=queue_name(model), retry=False, ignore_result=True)
        except (KombuError, RedisError, OSError):
            return False
        finally:
            self._turns.release()
        return True
