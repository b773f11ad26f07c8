"""The checker on random histories: it refuses none that keeps the promise, and finds what was put into one."""

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.history.check import check
from tests.faults.history.evidence import NEVER, Evidence, Sighting, Story, gather
from tests.faults.history.model import Model
from tests.faults.history.record import TERMINAL, History, Operation, Outcome, Seen

Mutation = Callable[[Evidence, random.Random], list[Operation] | None]
SEEDS = st.integers(0, 2**32)
SOME = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def legal(seed: int) -> History:
    return Model(random.Random(seed)).history()  # noqa: S311


@SOME
@given(SEEDS)
def test_what_keeps_the_promise_is_never_refused(seed: int) -> None:
    assert check(legal(seed)) == []


def _kept(evidence: Evidence) -> list[Story]:
    """Jobs that were accepted and never asked to be deleted."""
    stories = [story for account in evidence.limits for story in evidence.known(account)]
    return [story for story in stories if not story.deletes]


def _replaced(evidence: Evidence, old: Sighting, **change: object) -> list[Operation]:
    seen = tuple(each.model_copy(update=change) if each is old.seen else each for each in old.source.seen)
    return [
        each.model_copy(update={"seen": seen}) if each is old.source else each for each in evidence.operations
    ]  # fmt: skip


def drop(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A job is in no list and no store in the end."""
    if not (kept := _kept(evidence)):
        return None
    job_id = draw.choice(kept).id
    end = max(operation.call for operation in evidence.operations)
    return [
        each.model_copy(update={"seen": tuple(seen for seen in each.seen if seen.id != job_id)})
        if each.call == end else each
        for each in evidence.operations if not (each.call == end and each.job == job_id)
    ]  # fmt: skip


def end_twice(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A job that ended is seen with another end."""
    ended = [story.terminal for story in evidence.stories.values() if len(story.terminal) > 1]
    if not ended:
        return None
    sighting = draw.choice(draw.choice(ended))
    return _replaced(evidence, sighting, status=draw.choice(sorted(TERMINAL - {sighting.seen.status})))


def fall(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A client is shown an older revision than a client was before."""
    pairs = [
        (one, two)
        for story in evidence.stories.values() for one in story.sightings for two in story.sightings
        if one.seen.revision and two.seen.revision and one.end < two.call
    ]  # fmt: skip
    if not pairs:
        return None
    one, two = draw.choice(pairs)
    return _replaced(evidence, two, revision=(one.seen.revision or 0) - 1)


def resurrect(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A deleted job is seen by a poll that begins later."""
    deleted = [each for each in evidence.of("delete") if each.outcome is Outcome.DONE]
    if not deleted:
        return None
    delete = draw.choice(deleted)
    seen = evidence.story(str(delete.job)).sightings[-1].seen
    times = {"kind": "poll", "call": delete.end + 0.01, "end": delete.end + 0.02, "status": 200, "seen": (seen,)}
    return [*evidence.operations, delete.model_copy(update=times)]


def conjure(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A refused request left a job behind."""
    refused = [create.first for create in evidence.creates.values() if create.since == NEVER]
    labels = [request.labels[0] for request in refused if not request.copy_of]
    if not labels:
        return None
    ghost = Seen(id="ghost", status="failed", label=draw.choice(labels))
    return [
        each.model_copy(update={"seen": (*each.seen, ghost)}) if each.kind == "audit" else each
        for each in evidence.operations
    ]  # fmt: skip


def forget_a_key(evidence: Evidence, draw: random.Random) -> list[Operation] | None:
    """A request sent again made a second job."""
    accepted = [create.accepted for create in evidence.creates.values() if create.accepted]
    if not accepted:
        return None
    first = draw.choice(accepted)
    seen = tuple(each.model_copy(update={"id": f"{each.id}-2"}) for each in first.seen)
    return [*evidence.operations, first.model_copy(update={"call": first.end + 1, "end": first.end + 2, "seen": seen})]


MUTATIONS: dict[Mutation, str] = {
    drop: "lost", end_twice: "doubled", fall: "revision", resurrect: "deleted", conjure: "created",
    forget_a_key: "doubled",
}  # fmt: skip


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_what_was_put_into_a_history_is_found(mutation: Mutation) -> None:
    applied = 0

    @SOME
    @given(SEEDS)
    def holds(seed: int) -> None:
        nonlocal applied
        history = legal(seed)
        mutated = mutation(gather(history), random.Random(seed))  # noqa: S311
        if mutated is not None:
            applied += 1
            rules = {violation.rule for violation in check(History(history.accounts, tuple(mutated)))}
            assert MUTATIONS[mutation] in rules

    holds()
    assert applied > 10
