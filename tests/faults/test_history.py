"""Clients that record all they see, while processes die under them: their history is explained by the promise."""

import random
import time
from pathlib import Path

from riffusion.errors import StoreUnavailable
from tests.conftest import wait_until
from tests.faults.conftest import MakeStack
from tests.faults.history.check import check
from tests.faults.history.crowd import Crowd, crowd
from tests.faults.history.record import Outcome, load
from tests.faults.promise import leftovers
from tests.faults.stack import Stack

USES_S = 3.0  # undisturbed, and between two faults
SETTLES_S = 90.0
ALWAYS = {"create", "poll", "list", "delete", "fetch", "webhook"}  # rarer kinds may be drawn by chance only


def test_a_history_under_faults_is_explained(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack(webhooks_anywhere=True)
    workers = [stack.start_worker(wait=False) for _ in range(2)]
    wait_until(lambda: all(worker.ready for worker in workers), 90)
    with crowd(stack.url, stack.store, tmp_path / "history.jsonl", random.Random(17)) as clients:  # noqa: S311
        clients.start()
        time.sleep(USES_S)
        workers[0].kill()
        stack.start_worker(wait=False)
        time.sleep(USES_S)
        stack.valkey.kill()
        stack.start_redis()
        time.sleep(USES_S)
        stack.api_net.reset()
        time.sleep(0.5)
        stack.api_net.fair()
        time.sleep(USES_S)
        clients.stop()
        wait_until(lambda: _settled(stack, clients), SETTLES_S, "it never settled")
        clients.audit()
        assert clients.failures == []
    history = load(tmp_path / "history.jsonl")
    assert check(history) == []
    assert {each.kind for each in history.operations if each.outcome is Outcome.DONE} >= ALWAYS


def _settled(stack: Stack, clients: Crowd) -> bool:
    try:
        return not clients.pending() and not leftovers(stack.store)
    except StoreUnavailable:  # on a machine that stands still for seconds
        return False
