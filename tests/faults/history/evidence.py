"""A history sorted by what it is about: what was seen of each job, and what became of each Idempotency-Key."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus

from tests.faults.history.record import TERMINAL, History, Limits, Operation, Outcome, Seen, in_order

NEVER = float("inf")


@dataclass(frozen=True)
class Sighting:
    """A state that a job was in at some moment from `call` to `end`."""

    call: float
    end: float
    seen: Seen
    source: Operation

    @property
    def terminal(self) -> bool:
        return self.seen.status in TERMINAL


@dataclass
class Create:
    """All attempts under one Idempotency-Key, in the order in which they began."""

    attempts: list[Operation] = field(default_factory=list)

    @property
    def first(self) -> Operation:
        return self.attempts[0]

    @cached_property
    def accepted(self) -> Operation | None:
        """The first acceptance that a client knew of."""
        done = (attempt for attempt in self.attempts if attempt.outcome is Outcome.DONE)
        return min(done, key=lambda attempt: attempt.end, default=None)

    @cached_property
    def since(self) -> float:
        """No sooner was it accepted; NEVER where every attempt was refused."""
        return min((each.call for each in self.attempts if each.outcome is not Outcome.REFUSED), default=NEVER)

    @property
    def ids(self) -> tuple[str, ...]:
        """Of its jobs; () where no acceptance is known."""
        return tuple(seen.id for seen in self.accepted.seen) if self.accepted else ()


@dataclass
class Story:
    """All that was seen of one job."""

    id: str
    create: Create | None = None
    sightings: list[Sighting] = field(default_factory=list)
    deletes: list[Operation] = field(default_factory=list)  # that may have taken effect
    cancels: list[Operation] = field(default_factory=list)  # that may have taken effect
    missing: list[Operation] = field(default_factory=list)  # responses that it is not there

    @cached_property
    def terminal(self) -> list[Sighting]:
        return [sighting for sighting in self.sightings if sighting.terminal]

    @cached_property
    def known_at(self) -> float:
        """From then on it was there for certain, unless it was deleted."""
        return self.create.accepted.end if self.create and self.create.accepted else NEVER

    @cached_property
    def deleted_at(self) -> float:
        """From then on it was gone for certain."""
        done = [delete for delete in self.deletes if delete.outcome is Outcome.DONE]
        return min((each.end for each in [*done, *self.missing]), default=NEVER)

    def may_be_deleted(self, end: float) -> bool:
        """Whether a response that arrived at `end` may have come after a DELETE took effect."""
        return any(delete.call < end for delete in self.deletes)


@dataclass
class Evidence:
    """The whole history."""

    limits: dict[str, Limits]
    operations: list[Operation]  # in the order in which they began
    creates: dict[tuple[str, str], Create] = field(default_factory=lambda: defaultdict(Create))  # by account and key
    stories: dict[str, Story] = field(default_factory=dict)

    def story(self, job_id: str) -> Story:
        return self.stories.setdefault(job_id, Story(job_id))

    def known(self, account: str) -> Iterator[Story]:
        """The account's jobs whose acceptance was seen."""
        for (owner, _), create in self.creates.items():
            if owner == account:
                yield from (self.story(job_id) for job_id in create.ids)

    def of(self, *kinds: str) -> Iterator[Operation]:
        return (operation for operation in self.operations if operation.kind in kinds)


def gather(history: History) -> Evidence:
    """Sorts a history."""
    found = Evidence(dict(history.accounts), in_order(history.operations))
    for operation in found.operations:
        if operation.key is not None:
            found.creates[operation.account, operation.key].attempts.append(operation)
        for seen in operation.seen:
            found.story(seen.id).sightings.append(_sighting(operation, seen))
        if operation.job is not None:
            _sort(operation, found.story(operation.job))
    for create in found.creates.values():
        for job_id in create.ids:
            found.story(job_id).create = found.story(job_id).create or create
    return found


def _sighting(operation: Operation, seen: Seen) -> Sighting:
    return Sighting(operation.call, operation.end if seen.at is None else seen.at, seen, operation)


def _sort(operation: Operation, story: Story) -> None:
    # A DELETE that the API sent to Redis twice says 410 because of its own first try.
    may_be_done = operation.outcome is not Outcome.REFUSED or operation.status == HTTPStatus.GONE
    if operation.kind == "delete" and may_be_done:
        story.deletes.append(operation)
    if operation.kind == "cancel" and operation.outcome is not Outcome.REFUSED:
        story.cancels.append(operation)
    if operation.missing and operation.kind in ("poll", "follow", "cancel", "delete"):
        story.missing.append(operation)
