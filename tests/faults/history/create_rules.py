"""What holds for requests: one job each, none where it was refused, and each job in its owner's list."""

from collections.abc import Iterator
from http import HTTPStatus

from tests.faults.history.evidence import Create, Evidence
from tests.faults.history.record import Operation, Outcome, Seen
from tests.faults.history.violation import Violation


def one_id_per_key(evidence: Evidence) -> Iterator[Violation]:
    """All acceptances under one key are of the same jobs, and no two keys share one."""
    owners: dict[str, str] = {}
    for (_, key), create in evidence.creates.items():
        accepted = [attempt for attempt in create.attempts if attempt.outcome is Outcome.DONE]
        if len(made := {tuple(seen.id for seen in attempt.seen) for attempt in accepted}) > 1:
            yield Violation("doubled", key, f"one key, several jobs: {sorted(made)}")
        if any(len(attempt.seen) != len(attempt.labels) for attempt in accepted):
            yield Violation("created", key, "not as many jobs as requests")
        for job_id in {seen.id for attempt in accepted for seen in attempt.seen}:
            if owners.setdefault(job_id, key) != key:
                yield Violation("doubled", job_id, f"two keys, {owners[job_id]} and {key}, made it")


def replays_are_recognized(evidence: Evidence) -> Iterator[Violation]:
    """What was accepted is not refused when it is sent again, unless for now, or because it was deleted since."""
    for (_, key), create in evidence.creates.items():
        for attempt in create.attempts if create.accepted else ():
            if attempt.outcome is not Outcome.REFUSED or attempt.call < create.since or _passing(attempt):
                continue
            if create.accepted and attempt.call <= create.accepted.end:
                continue
            gone = attempt.missing and any(evidence.story(each).may_be_deleted(attempt.end) for each in create.ids)
            if not gone:
                yield Violation("created", key, f"accepted, then refused: {attempt}")


def _passing(attempt: Operation) -> bool:
    status = attempt.status
    return status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS


def nothing_from_nothing(evidence: Evidence) -> Iterator[Violation]:
    """Every job that is listed or stored was accepted, or may have been: at most one for each unknown outcome."""
    acknowledged = {job_id for create in evidence.creates.values() for job_id in create.ids}
    unknown: dict[str, list[Create]] = {}
    for create in evidence.creates.values():
        if create.accepted is None:
            for label in create.first.labels:
                unknown.setdefault(label, []).append(create)
    strangers: dict[str, set[str]] = {}
    for operation in evidence.of("list", "audit"):
        for seen in operation.seen:
            if seen.id in acknowledged:
                made = evidence.story(seen.id).create
                if made and made.since > operation.end:
                    yield Violation("created", seen.id, f"it was there before it was asked for, in {operation}")
                continue
            found = strangers.setdefault(str(seen.label), set())
            found.add(seen.id)
            possible = [each for each in unknown.get(str(seen.label), ()) if each.since < operation.end]
            if len(found) > len(possible):
                text = f"no request explains it in {operation}; its label is {seen.label}"
                yield Violation("doubled" if possible else "created", seen.id, text)


def arrays_are_whole(evidence: Evidence) -> Iterator[Violation]:
    """In the end an array of unknown outcome is there whole or not at all: no client could delete its jobs."""
    for audit in evidence.of("audit"):
        labels = {seen.label for seen in audit.seen}
        for (_, key), create in evidence.creates.items():
            there = [label for label in create.first.labels if label in labels]
            if create.accepted is None and create.first.copy_of is None and 0 < len(there) < len(create.first.labels):
                yield Violation("created", key, f"only {there} of {create.first.labels} are there")


def lists_are_complete(evidence: Evidence) -> Iterator[Violation]:
    """A list holds all the account's jobs that were known before it was asked for, and none twice."""
    known = {account: list(evidence.known(account)) for account in evidence.limits}
    for operation in evidence.of("list"):
        if operation.missing:
            yield Violation("listed", operation.account, f"a list is said to be missing in {operation}")
        if operation.outcome is not Outcome.DONE:
            continue
        listed = [seen.id for seen in operation.seen]
        if len(listed) != len(set(listed)):
            yield Violation("listed", operation.account, f"a job stands twice in {operation}")
        found = set(listed)
        for story in known[operation.account]:
            if story.id not in found and story.known_at < operation.call and not story.may_be_deleted(operation.end):
                yield Violation("lost", story.id, f"it is missing in {operation}")
        others = {story.id for account, stories in known.items() if account != operation.account for story in stories}
        for job_id in found & others:
            yield Violation("listed", job_id, f"it is another account's, in {operation}")


def copies_are_at_once(evidence: Evidence) -> Iterator[Violation]:
    """The request of a job that has succeeded, sent again, is a job that has succeeded, with the same clip."""
    for create in evidence.creates.values():
        accepted = create.accepted
        if accepted is None or create.first.copy_of is None:
            continue
        origin = evidence.story(create.first.copy_of)
        made = [each.seen for each in origin.terminal if each.seen.result and each.end < create.since]
        if made and not origin.may_be_deleted(accepted.end):
            yield from _differs(accepted, made[0])


def _differs(accepted: Operation, made: Seen) -> Iterator[Violation]:
    for copy in accepted.seen:
        if (copy.status, copy.result) != ("succeeded", made.result):
            text = f"a copy of {made.id} is {copy.status} with {copy.result}, not {made.result}"
            yield Violation("copied", copy.id, text)
