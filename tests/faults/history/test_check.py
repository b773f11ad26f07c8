"""Each rule on a history that breaks it and on the nearest one that does not, made by hand."""

from pathlib import Path
from typing import Any

import pytest

from tests.faults.history.check import check
from tests.faults.history.record import History, Limits, Operation, Outcome, Recorder, Seen, load

ACCOUNTS = {"a": Limits(creates_per_minute=2, jobs_in_flight=1), "b": Limits()}


def job(status: str = "queued", revision: int | None = None, id: str = "j", **more: Any) -> Seen:  # noqa: A002
    return Seen(id=id, status=status, revision=revision, label=more.pop("label", "l"), **more)


DONE = job("succeeded", result="results/j/1")


def op(kind: str, call: float, *seen: Seen, status: int | None = 200, **more: Any) -> Operation:
    """An operation of half a second."""
    fields = {"client": "c", "account": "b", "kind": kind, "call": call, "end": call + 0.5, "status": status}
    return Operation.model_validate({**fields, "seen": seen, **more})


def create(call: float, *seen: Seen, status: int | None = 202, **more: Any) -> Operation:
    return op("create", call, *seen, status=status, **{"key": "k", "labels": ("l",), **more})


def poll(call: float, *seen: Seen, **more: Any) -> Operation:
    return op("poll", call, *seen, **{"job": "j", **more})


def delete(call: float, status: int | None = 204) -> Operation:
    return op("delete", call, status=status, job="j")


def cancel(call: float, *seen: Seen, **more: Any) -> Operation:
    return op("cancel", call, *seen, job="j", **more)


def listing(call: float, *seen: Seen, **more: Any) -> Operation:
    return op("list", call, *seen, **more)


def audit(*seen: Seen) -> Operation:
    return op("audit", 900, *seen, account="")


def fetch(call: float, status: int = 200, digest: str = "x") -> Operation:
    return op("fetch", call, status=status, digest=digest, result="results/j/1", job="j")


def webhook(call: float, seen: Seen = DONE, **more: Any) -> Operation:
    return op("webhook", call, seen, **{"job": "j", "signed": True, **more})


MADE = create(1, job())
COPY = create(5, job("succeeded", id="copy", result="results/j/1"), key="k2", copy_of="j")
HOOKED = create(1, job(), webhook=True)
FULL = [create(t, job(id=f"j{t}", label=f"l{t}"), account="a", key=f"k{t}", labels=(f"l{t}",)) for t in (1, 2, 9)]


def busy(begin: float, end: float, number: int) -> list[Operation]:
    """A job of account `a` that is queued from one time to another."""
    seen = job(id=f"n{number}", label=f"m{number}")
    made = create(begin - 0.5, seen, account="a", key=f"m{number}", labels=(seen.label,))
    return [made, poll(end, seen, job=seen.id, account="a")]


# By name: the rule, a history that breaks it, and what explains it when it stands instead of the last operation.
BROKEN: dict[str, tuple[str, list[Operation], list[Operation]]] = {
    "it leaves its end": ("doubled", [MADE, poll(2, DONE), poll(3, job("running"))], [poll(2.4, job("running"))]),
    "it ends twice": ("doubled", [MADE, poll(3, DONE), poll(2, job("failed"))], [poll(2, job("running"))]),
    "its result changes": ("doubled", [MADE, poll(2, DONE), poll(3, job("succeeded", result="r"))], [poll(3, DONE)]),
    "a file changes": ("doubled", [MADE, fetch(2), fetch(3, digest="y")], [fetch(3)]),
    "a revision falls": ("revision", [MADE, poll(2, job(revision=4)), poll(3, job(revision=3))],
                         [poll(2.4, job(revision=3), client="d")]),
    "a revision falls within a stream": (
        "revision", [MADE, op("follow", 2, job(revision=4, at=2.1), job(revision=3, at=2.2), job="j")],
        [op("follow", 2, job(revision=3, at=2.1), job(revision=4, at=2.2), job="j")]),
    "one revision, two states": ("revision", [MADE, poll(2, job(revision=4)), poll(2, job("running", 4))],
                                 [poll(2, job("running", 5))]),
    "polled after it was deleted": ("deleted", [MADE, delete(2), poll(3, DONE)], [poll(2.4, DONE)]),
    "listed after it was deleted": ("deleted", [MADE, delete(2), listing(3, job())], [listing(3)]),
    "back after it was gone": ("deleted", [MADE, delete(2, None), poll(9, status=410), poll(10, DONE)],
                               [poll(10, status=410)]),
    "gone without a request": ("lost", [MADE, poll(2, status=410)], [delete(1.5, None), poll(2, status=410)]),
    "gone before the request": ("lost", [MADE, delete(3), poll(2, status=404)], [poll(3.1, status=410)]),
    "gone though the request was refused": ("lost", [MADE, delete(2, 429), poll(9, status=410)], [poll(9, DONE)]),
    "missing in a list": ("lost", [MADE, listing(2)], [listing(1.2)]),
    "missing in the end": ("lost", [MADE, audit()], [audit(DONE)]),
    "never ended": ("lost", [MADE, audit(job("running"))], [delete(2, None), audit(job("running"))]),
    "a file is missing": ("lost", [MADE, fetch(2, 404)], [fetch(2, 403)]),
    "a link is refused in the end": ("lost", [MADE, audit(DONE), fetch(999, 403)], [fetch(999)]),
    "a copy's file went with its origin": ("lost", [MADE, poll(2, DONE), COPY, delete(6), fetch(9, 404).model_copy(
        update={"job": "copy"})], [fetch(9, 404)]),
    "canceled without a request": ("canceled", [MADE, poll(2, job("canceled"))], [cancel(1.5, status=None),
                                                                          poll(2, job("canceled"))]),
    "cancel doesn't cancel": ("canceled", [MADE, cancel(2, job("running"))], [cancel(2, DONE)]),
    "cancel undoes an end": ("doubled", [MADE, poll(2, DONE), cancel(3, job("canceled"))], [cancel(3, DONE)]),
    "canceled, then on": ("doubled", [MADE, cancel(2, job("canceled")), poll(3, job("running"))],
                          [poll(3, job("canceled"))]),
    "one key, two jobs": ("doubled", [MADE, create(2, job(id="other"))], [create(2, job())]),
    "two keys, one job": ("doubled", [MADE, create(2, job(), key="k2")], [create(2, job(id="o"), key="k2")]),
    "a replay is refused": ("created", [MADE, create(2, status=422)], [create(2, status=429)]),
    "refused for want of a connection, and there": ("created", [create(1, status=None, code="not_sent"), audit(DONE)],
                                                     [create(2, status=None), audit(DONE)]),
    "a replay is gone": ("created", [MADE, create(2, status=410)], [delete(1.5), create(2, status=410)]),
    "fewer jobs than requests": ("created", [create(1, job(), labels=("l", "m"))], [MADE]),
    "refused, and there": ("created", [create(1, status=429), audit(DONE)], [create(2, status=None), audit(DONE)]),
    "refused with 503, and there": ("created", [create(1, status=503, code="queue_full"), listing(2, job())],
                                    [create(1.5, status=503, code="store_unavailable"), listing(2, job())]),
    "from nowhere": ("created", [listing(2, job())], [listing(2)]),
    "there too early": ("created", [create(3, job()), listing(2, job())], [listing(3, job())]),
    "one unknown outcome, two jobs": ("doubled", [create(1, status=None), audit(DONE, job("failed", id="j2"))],
                                      [audit(DONE)]),
    "half an array": ("created", [create(1, status=None, labels=("l", "m")), audit(DONE)],
                      [audit(DONE, job("failed", id="m", label="m"))]),
    "twice in a list": ("listed", [MADE, listing(2, job(), job())], [listing(2, job())]),
    "a list that is gone": ("listed", [MADE, op("list", 2, status=410)], [op("list", 2, status=503)]),
    "in another's list": ("listed", [MADE, listing(2, job(), account="a")], [listing(2, account="a")]),
    "too many jobs in flight": ("limits", [*busy(1, 9, 1), *busy(2, 8, 2)], busy(9.1, 9.5, 2)),
    "too many creates": ("limits", FULL, [create(31.1, job(id="j9"), account="a", key="k9")]),
    "no webhook": ("webhook", [HOOKED, poll(2, DONE), audit(DONE)], [webhook(3), audit(DONE)]),
    "a webhook that wasn't acknowledged": ("webhook", [HOOKED, webhook(3, status=500), audit(DONE)],
                                           [webhook(9), audit(DONE)]),
    "an unsigned webhook": ("webhook", [HOOKED, poll(2, DONE), webhook(3, signed=False)], [webhook(3)]),
    "a webhook too early": ("webhook", [HOOKED, webhook(3, job("running"))], [webhook(3)]),
    "a webhook that lies": ("doubled", [HOOKED, poll(2, DONE), webhook(3, job("failed"))], [webhook(3)]),
    "a copy is made again": ("copied", [MADE, poll(2, DONE), create(5, job(id="o"), key="k2", copy_of="j")], [COPY]),
    "a copy of another clip": (
        "copied", [MADE, poll(2, DONE), create(5, job("succeeded", id="o", result="r"), key="k2", copy_of="j")],
        [delete(4), create(5, job(id="o"), key="k2", copy_of="j")]),
}  # fmt: skip


def found(operations: list[Operation]) -> set[str]:
    return {violation.rule for violation in check(History(ACCOUNTS, tuple(operations)))}


@pytest.mark.parametrize("name", BROKEN)
def test_each_violation_is_found_and_its_neighbour_is_not(name: str) -> None:
    rule, broken, explanation = BROKEN[name]
    assert rule in found(broken)
    kept = broken[: -2 if name == "too many jobs in flight" else -1]
    assert found([*kept, *explanation]) == set()


def test_an_outcome_goes_by_the_class_of_the_problem() -> None:
    outcomes = {
        (202, None): Outcome.DONE, (304, None): Outcome.DONE, (401, "unauthorized"): Outcome.REFUSED,
        (429, "too_many_requests"): Outcome.REFUSED, (503, "overloaded"): Outcome.REFUSED,
        (507, "storage_full"): Outcome.REFUSED, (503, "store_unavailable"): Outcome.UNKNOWN,
        (500, "internal"): Outcome.UNKNOWN, (502, None): Outcome.UNKNOWN, (None, None): Outcome.UNKNOWN,
        (None, "not_sent"): Outcome.REFUSED,
    }  # fmt: skip
    assert {key: op("poll", 0, status=key[0], code=key[1]).outcome for key in outcomes} == outcomes


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    operations = [MADE, poll(2, DONE, job("running", 3, at=2.25)), create(3, status=None)]
    with Recorder(tmp_path / "history", ACCOUNTS) as recorder:
        for operation in operations:
            recorder.add(operation)
    assert load(tmp_path / "history") == History(ACCOUNTS, tuple(operations))
