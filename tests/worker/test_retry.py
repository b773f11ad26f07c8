"""Operations on the storage and the job store are repeated, and a storage that fails is noticed."""

import threading
from collections.abc import Callable
from typing import cast

import pytest

from riffusion.backoff import Backoff
from riffusion.errors import StorageFull, StorageUnavailable, StoreUnavailable
from tests.conftest import wait_until
from worker import retry
from worker.attempt import Attempt
from worker.retry import RetryPolicy, call_store


class EndlessAttempt:
    """An attempt without deadlines."""

    id = "job"
    touched = 0

    def pause(self, seconds: float) -> None:
        threading.Event().wait(min(seconds, 0.01))

    def touch(self) -> None:
        self.touched += 1


def start(policy: RetryPolicy, operation: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=lambda: policy.call(cast(Attempt, EndlessAttempt()), operation))
    thread.start()
    return thread


def failing(until: threading.Event) -> Callable[[], None]:
    def operation() -> None:
        if not until.is_set():
            raise StorageUnavailable("No.")

    return operation


def test_an_operation_that_succeeds_does_not_hide_another_that_fails() -> None:
    policy, repaired = RetryPolicy(), threading.Event()
    assert policy.storage_available
    thread = start(policy, failing(repaired))
    wait_until(lambda: not policy.storage_available)
    start(policy, lambda: None).join()
    assert not policy.storage_available
    repaired.set()
    thread.join()
    assert policy.storage_available


def test_an_operation_that_hangs_counts_as_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SILENT_S", 0.2)
    policy, repaired = RetryPolicy(), threading.Event()
    thread = start(policy, repaired.wait)
    wait_until(lambda: not policy.storage_available)
    repaired.set()
    thread.join()
    assert policy.storage_available


def test_a_full_storage_is_not_retried() -> None:
    def full() -> None:
        raise StorageFull("Full.")

    policy = RetryPolicy()
    with pytest.raises(StorageFull):
        policy.call(cast(Attempt, EndlessAttempt()), full)
    assert policy.storage_available


def test_the_store_is_called_until_it_responds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF", Backoff(0.01, 0.01))
    attempt, replies = EndlessAttempt(), iter([StoreUnavailable("No."), StoreUnavailable("No."), True])

    def operation() -> object:
        reply = next(replies)
        if isinstance(reply, Exception):
            raise reply
        return reply

    assert call_store(cast(Attempt, attempt), operation)
    assert attempt.touched == 2
