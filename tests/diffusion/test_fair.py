import pytest

from riffusion.diffusion.fair import FairQueue


def drained(queue: FairQueue[str]) -> str:
    return "".join(queue.pop() for _ in range(len(queue)))


def test_a_tenant_with_many_items_alternates_with_the_others() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(6):
        queue.push("a", "a")
    for _ in range(3):
        queue.push("b", "b")
    assert drained(queue) == "ababab" + "aaa"


def test_a_newcomer_does_not_wait_for_a_backlog() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(100):
        queue.push("a", "a")
    for _ in range(50):
        queue.pop()
    queue.push("b", "b")
    assert "b" in {queue.pop(), queue.pop()}


def test_weight_is_a_share_and_no_tenant_starves() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(40):
        queue.push("a", "a", weight=4)
        queue.push("b", "b")
    order = drained(queue)
    assert order[:20].count("a") == 16
    assert order[:20].count("b") == 4


def test_costly_items_count_for_more() -> None:
    queue: FairQueue[str] = FairQueue()
    for _ in range(8):
        queue.push("a", "a", cost=3)
        queue.push("b", "b", cost=1)
    assert drained(queue)[:8].count("b") == 6


def test_empty() -> None:
    with pytest.raises(IndexError):
        FairQueue[str]().pop()
