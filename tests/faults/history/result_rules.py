"""What reaches owners: webhooks, and files."""

from collections.abc import Iterator

from tests.faults.history.evidence import NEVER, Evidence
from tests.faults.history.record import TERMINAL, Operation, Outcome
from tests.faults.history.violation import Violation


def webhooks_are_true(evidence: Evidence) -> Iterator[Violation]:
    """Each is signed, and about an end. That it is the job's only end is `ends_once`, for it is a sighting as well."""
    for operation in evidence.of("webhook"):
        if not operation.signed:
            yield Violation("webhook", str(operation.job), f"its signature is wrong in {operation}")
        if any(seen.status not in TERMINAL for seen in operation.seen):
            yield Violation("webhook", str(operation.job), f"it is not about an end in {operation}")


def webhooks_arrive(evidence: Evidence) -> Iterator[Violation]:
    """Each job that named one and was not deleted was delivered and acknowledged, where the history is complete."""
    if not any(evidence.of("audit")):
        return
    delivered = {operation.job for operation in evidence.of("webhook") if operation.outcome is Outcome.DONE}
    for create in evidence.creates.values():
        for job_id in create.ids if create.first.webhook else ():
            if job_id not in delivered and not evidence.story(job_id).deletes:
                yield Violation("webhook", job_id, "its end was never delivered")


def files_stay(evidence: Evidence) -> Iterator[Violation]:
    """A file of a job that wasn't deleted is there, and always the same; also a copy's, whose origin was deleted."""
    contents: dict[str, Operation] = {}
    settled = min((audit.end for audit in evidence.of("audit")), default=NEVER)
    for operation in evidence.of("fetch"):
        story = evidence.story(str(operation.job))
        # Before the end, a link that a wrong clock signed may be refused; but nothing says that a file is not there.
        denied = operation.missing or (operation.outcome is Outcome.REFUSED and operation.call > settled)
        if denied and not story.may_be_deleted(operation.end):
            yield Violation("lost", story.id, f"its file {operation.result} is missing in {operation}")
        if operation.outcome is Outcome.DONE:
            first = contents.setdefault(str(operation.result), operation)
            if first.digest != operation.digest:
                yield Violation("doubled", story.id, f"its file {operation.result} changed: {first}, {operation}")
