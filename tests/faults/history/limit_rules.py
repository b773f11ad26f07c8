"""Quotas, by what is certain: intervals within which something must have happened or been the case."""

from collections.abc import Iterator
from itertools import accumulate

from tests.faults.history.evidence import Evidence, Story
from tests.faults.history.record import Outcome
from tests.faults.history.violation import Violation

DRIFT = 1e-3  # of Redis's clock against the clients', which NTP may slew
Interval = tuple[float, float]


def jobs_in_flight(evidence: Evidence) -> Iterator[Violation]:
    """A job is in flight for certain from its acknowledgement until a response last showed it so."""
    for account, limits in evidence.limits.items():
        if limits.jobs_in_flight:
            spans = [span for story in evidence.known(account) if (span := _in_flight(story))]
            most, when = _most(spans)
            if most > limits.jobs_in_flight:
                text = f"{most} jobs in flight at {when:.3f}, of {limits.jobs_in_flight}"
                yield Violation("limits", account, text)


def _in_flight(story: Story) -> Interval | None:
    since = story.known_at
    until = max((sighting.call for sighting in story.sightings if not sighting.terminal), default=since)
    return (since, until) if since < until else None


def _most(spans: list[Interval]) -> tuple[int, float]:
    """The most spans that overlap, and when they do."""
    steps = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    counts = accumulate(step for _, step in steps)
    return max(((count, when) for count, (when, _) in zip(counts, steps, strict=True)), default=(0, 0.0))


def creates_per_minute(evidence: Evidence) -> Iterator[Violation]:
    """In no time are more created for certain than a bucket of a minute's worth holds and what flows into it since."""
    for account, limits in evidence.limits.items():
        if limits.creates_per_minute and (worst := _worst(_creates(evidence, account), limits.creates_per_minute)):
            count, begin, end = worst
            text = f"{count} creates from {begin:.3f} to {end:.3f}, at {limits.creates_per_minute} a minute"
            yield Violation("limits", account, text)


def _creates(evidence: Evidence, account: str) -> list[Interval]:
    """Once for each that was new: within which time it was taken from the bucket."""
    creates = [create for (owner, _), create in evidence.creates.items() if owner == account]
    uploads = [each for each in evidence.of("upload") if each.account == account and each.outcome is Outcome.DONE]
    jobs = [
        (create.since, create.accepted.end)
        for create in creates if create.accepted for _ in create.ids
    ]  # fmt: skip
    return jobs + [(upload.call, upload.end) for upload in uploads]


def _worst(creates: list[Interval], per_minute: int) -> tuple[int, float, float] | None:
    rate = per_minute / 60
    by_end = sorted(creates, key=lambda create: create[1])
    for begin in sorted(call for call, _ in creates):
        within = [end for call, end in by_end if call >= begin]
        for count, end in enumerate(within, start=1):
            if count > per_minute + rate * (end - begin) * (1 + DRIFT):
                return count, begin, end
    return None
