"""What holds for one job: it ends once, its revision never falls, and deleted or canceled it stays so."""

from collections.abc import Iterable, Iterator

from tests.faults.history.evidence import NEVER, Evidence, Sighting, Story
from tests.faults.history.record import TERMINAL, Outcome
from tests.faults.history.violation import Violation


def ends_once(evidence: Evidence) -> Iterator[Violation]:
    """Every terminal state that was seen of a job is the same one, with the same result, and the last."""
    for story in evidence.stories.values():
        ends = {(sighting.seen.status, sighting.seen.result) for sighting in story.terminal}
        if len(ends) > 1:
            yield Violation("doubled", story.id, f"it ended as {sorted(map(str, ends))}")
        first = min(story.terminal, key=lambda sighting: sighting.end, default=None)
        for sighting in story.sightings:
            if first and not sighting.terminal and sighting.call > first.end:
                text = f"{sighting.seen.status} in {sighting.source}, after {first.seen.status} in {first.source}"
                yield Violation("doubled", story.id, text)


def revision_never_falls(evidence: Evidence) -> Iterator[Violation]:
    """Neither in real time, over all clients, nor within a stream; and a revision stands for one state."""
    for story in evidence.stories.values():
        shown = [sighting for sighting in story.sightings if sighting.seen.revision is not None]
        yield from _falls_in_time(story, shown)
        yield from _falls_in_stream(story, shown)
        states: dict[int | None, str] = {}
        for sighting in shown:
            revision, status = sighting.seen.revision, sighting.seen.status
            if states.setdefault(revision, status) != status:
                text = f"revision {revision} is both {states[revision]} and {status}, in {sighting.source}"
                yield Violation("revision", story.id, text)


def _falls_in_time(story: Story, shown: list[Sighting]) -> Iterator[Violation]:
    ended = iter(sorted(shown, key=lambda sighting: sighting.end))
    earlier, highest = next(ended, None), None
    for later in sorted(shown, key=lambda sighting: sighting.call):
        while earlier is not None and earlier.end < later.call:
            highest = max(highest or earlier, earlier, key=_revision)
            earlier = next(ended, None)
        if highest is not None and _revision(later) < _revision(highest):
            text = f"{_revision(later)} in {later.source}, after {_revision(highest)} in {highest.source}"
            yield Violation("revision", story.id, text)


def _falls_in_stream(story: Story, shown: Iterable[Sighting]) -> Iterator[Violation]:
    last: Sighting | None = None
    for sighting in shown:  # events of a stream stand in their order
        if last is not None and last.source is sighting.source and _revision(sighting) < _revision(last):
            text = f"{_revision(sighting)} after {_revision(last)} in {sighting.source}"
            yield Violation("revision", story.id, text)
        last = sighting


def _revision(sighting: Sighting) -> int:
    return sighting.seen.revision or 0


def stays_deleted(evidence: Evidence) -> Iterator[Violation]:
    """What was deleted is seen by no later request, and nothing else is missing."""
    for story in evidence.stories.values():
        for sighting in story.sightings:
            if sighting.call > story.deleted_at:
                yield Violation("deleted", story.id, f"it is there again in {sighting.source}")
        for operation in story.missing:
            if not story.may_be_deleted(operation.end):
                yield Violation("lost", story.id, f"never deleted, and it is missing in {operation}")


def canceled_for_a_reason(evidence: Evidence) -> Iterator[Violation]:
    """A job is canceled only on request, and the response to that shows a job that has ended."""
    for story in evidence.stories.values():
        asked = min((cancel.call for cancel in story.cancels), default=NEVER)
        for sighting in story.sightings:
            if sighting.seen.status == "canceled" and sighting.end < asked:
                yield Violation("canceled", story.id, f"not requested before {sighting.source}")
    for operation in evidence.of("cancel"):
        if operation.outcome is Outcome.DONE and any(seen.status not in TERMINAL for seen in operation.seen):
            yield Violation("canceled", str(operation.job), f"it has not ended in {operation}")


def all_have_ended(evidence: Evidence) -> Iterator[Violation]:
    """In the end each accepted job is in Redis, and terminal, unless it may have been deleted."""
    for audit in evidence.of("audit"):
        found = {seen.id: seen.status for seen in audit.seen}
        for account in evidence.limits:
            for story in evidence.known(account):
                if found.get(story.id) not in TERMINAL and not story.may_be_deleted(audit.end):
                    yield Violation("lost", story.id, f"it is {found.get(story.id, 'missing')} in the end")
