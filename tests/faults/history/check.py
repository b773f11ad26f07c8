"""Decides whether a history is explained by the promise: `python -m tests.faults.history.check FILE`.

Every rule is a pure function of what the clients saw. It uses only what is certain: an operation took effect at some
moment between its call and its end; one whose connection broke, at any time since, or never.
"""

import sys
from pathlib import Path

from tests.faults.history import create_rules, job_rules, limit_rules, result_rules
from tests.faults.history.evidence import gather
from tests.faults.history.record import History, load
from tests.faults.history.violation import Violation

RULES = (
    job_rules.ends_once,
    job_rules.revision_never_falls,
    job_rules.stays_deleted,
    job_rules.canceled_for_a_reason,
    job_rules.all_have_ended,
    create_rules.one_id_per_key,
    create_rules.replays_are_recognized,
    create_rules.nothing_from_nothing,
    create_rules.arrays_are_whole,
    create_rules.lists_are_complete,
    create_rules.copies_are_at_once,
    limit_rules.jobs_in_flight,
    limit_rules.creates_per_minute,
    result_rules.webhooks_are_true,
    result_rules.webhooks_arrive,
    result_rules.files_stay,
)


def check(history: History) -> list[Violation]:
    """Whatever the promise doesn't explain; nothing where it was kept."""
    evidence = gather(history)
    return [violation for rule in RULES for violation in rule(evidence)]


def main(path: str) -> int:
    """Prints the violations of a history in a file; the exit status says whether there are any."""
    found = check(load(Path(path)))
    sys.stdout.writelines(f"{violation}\n" for violation in found)
    return min(1, len(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
