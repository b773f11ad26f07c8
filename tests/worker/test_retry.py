"""Patience with a storage, and what it tells about it."""

import threading
from collections.abc import Callable
from typing import cast

import pytest

from riffusion.errors import StorageFull, StorageUnavailable
from tests.conftest import wait_until
from worker import retry
from worker.attempt import Attempt
from worker.retry import Patience


class Patient:
    """An attempt that may go on for ever."""

    id = "job"

    def pause(self, seconds: float) -> None:
        threading.Event().wait(min(seconds, 0.01))


def beside(patience: Patience, operation: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=lambda: patience.insist(cast(Attempt, Patient()), operation))
    thread.start()
    return thread


def failing(until: threading.Event) -> Callable[[], None]:
    def operation() -> None:
        if not until.is_set():
            raise StorageUnavailable("No.")

    return operation


def test_one_that_succeeds_does_not_vouch_for_another_that_fails() -> None:
    patience, healed = Patience(), threading.Event()
    assert patience.storage_answers
    thread = beside(patience, failing(healed))
    wait_until(lambda: not patience.storage_answers)
    beside(patience, lambda: None).join()
    assert not patience.storage_answers
    healed.set()
    thread.join()
    assert patience.storage_answers


def test_an_operation_that_hangs_counts_as_failing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SILENT_S", 0.2)
    patience, healed = Patience(), threading.Event()
    thread = beside(patience, healed.wait)
    wait_until(lambda: not patience.storage_answers)
    healed.set()
    thread.join()
    assert patience.storage_answers


def test_a_full_storage_is_not_insisted_on() -> None:
    def full() -> None:
        raise StorageFull("Full.")

    patience = Patience()
    with pytest.raises(StorageFull):
        patience.insist(cast(Attempt, Patient()), full)
    assert patience.storage_answers
