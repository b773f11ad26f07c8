"""How much of what was answered with 202 is lost when Redis fails over: `python -m tests.faults.failovers --times 20`.

A stream of jobs and a worker, on a primary and its replica under three Sentinels. In turn, the primary is killed after
a quarter of a second in which its replica couldn't hear of it, and `SENTINEL FAILOVER` forces it out while it lives on.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from riffusion.errors import NotFound, StoreUnavailable
from tests.conftest import serving_s3, wait_until
from tests.faults.replicas import Watched, watched
from tests.faults.stack import Stack, running

CUT_OFF_S = 0.25
SENDERS = 2


@dataclass
class Losses:
    """What came of some failovers."""

    accepted: int = 0
    lost: list[str] = field(default_factory=list)  # ids that were answered with 202 and that Redis has lost
    recovered_s: list[float] = field(default_factory=list)  # from each failover's begin until a new job has ended


def fail_over_under_load(stack: Stack, nodes: Watched, times: int) -> Losses:
    """Fails over so many times, beginning with a kill; a worker must run."""
    found = Losses()
    with stack.stream("0", senders=SENDERS):
        for index in range(times):
            nodes.wait_synced()
            accepted = len(stack.accepted)
            wait_until(lambda: len(stack.accepted) > accepted + SENDERS, 60)  # noqa: B023
            began = time.monotonic()
            if index % 2:
                nodes.fail_over()
            else:
                nodes.kill_primary(CUT_OFF_S)
            canary = stack.submit("0", timeout_s=120)
            wait_until(lambda: _ended(stack, canary), 60, "no job ends")  # noqa: B023
            found.recovered_s.append(time.monotonic() - began)
    stack.valkey = nodes.primary
    found.accepted = len(stack.accepted)
    found.lost = [job_id for job_id in stack.accepted if not _known(stack, job_id)]
    return found


def _ended(stack: Stack, job_id: str) -> bool:
    """False also where it isn't known: for a moment, a primary that was forced out may still be asked."""
    return _known(stack, job_id) and stack.ended(job_id)


def _known(stack: Stack, job_id: str) -> bool:
    try:
        stack.get(job_id)
    except (NotFound, StoreUnavailable):
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--replicas", type=int, default=1, help="that are waited for; 0: none")
    arguments = parser.parse_args()
    with ExitStack() as resources:
        folder = Path(
            resources.enter_context(tempfile.TemporaryDirectory(prefix="failovers-", ignore_cleanup_errors=True))
        )
        (folder / "s3").mkdir()
        s3 = resources.enter_context(serving_s3(folder / "s3")).with_bucket()
        nodes = resources.enter_context(watched(folder))
        stack = resources.enter_context(
            running(folder / "stack", s3, (), nodes, slots=16, redis_replicas=arguments.replicas)
        )
        stack.start_worker()
        found = fail_over_under_load(stack, nodes, arguments.times)
        kept = [job_id for job_id in stack.accepted if job_id not in found.lost]
        stack.wait_ended(*kept, timeout=120)
        figures = {
            "failovers": arguments.times, "replicas waited for": arguments.replicas, "accepted": found.accepted,
            "lost": len(found.lost), "recovered s, median": round(statistics.median(found.recovered_s), 1),
            "recovered s, worst": round(max(found.recovered_s), 1),
            "run more than once": sum(count > 1 for count in stack.runs().values()),
        }  # fmt: skip
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
