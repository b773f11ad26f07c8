"""Cuts the power of Redis in the middle of POSTs and counts lost jobs: `python -m tests.faults.power_cuts --cuts 50`.

The figures are one line of JSON; the exit status is 1 when a job was lost.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.conftest import serving_s3, wait_until
from tests.faults.power import Disk, Power
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack, running

SENDERS = 4
POSTS = 4  # accepted between two cuts at the least
MOMENT_S = 0.05  # a cut comes so much later at the most
REWRITTEN = 0.5  # of the cuts come after a rewrite of the append-only file has begun
SETTLES_S = 900.0  # jobs are accepted much faster than the one worker runs them
KEY_DELAY_US = 200  # what each key is made to take there, so that some cuts come before its end


@dataclass
class Figures:
    """What came of some cuts."""

    accepted: int = 0
    rewriting: int = 0  # cuts that came before the end of a rewrite
    repairs: int = 0  # cuts after which Redis didn't start by itself
    lost: list[int] = field(default_factory=list)  # jobs that were found missing after each cut


def cut_in_the_middle_of_posts(power: Power, cuts: int, appendfsync: str = "always") -> Figures:
    """Cuts the power so many times while clients send jobs."""
    stack, figures, lost = power.stack, Figures(), set[str]()

    def configure() -> None:
        stack.redis.config_set("appendfsync", appendfsync)
        stack.redis.config_set("rdb-key-save-delay", KEY_DELAY_US)

    configure()
    with stack.stream("0.1", SENDERS):
        for _ in range(cuts):
            accepted = len(stack.accepted)
            wait_until(lambda: len(stack.accepted) >= accepted + POSTS, 60, "no job is accepted")  # noqa: B023
            # With the others, a file before the last may lack its end, which can't be repaired.
            if appendfsync == "always" and power.chance.random() < REWRITTEN:
                stack.redis.bgrewriteaof()  # type: ignore[no-untyped-call]
            time.sleep(power.chance.uniform(0, MOMENT_S))
            figures.rewriting += stack.redis.info("persistence")["aof_rewrite_in_progress"]  # type: ignore[index]
            power.cut()
            power.restore()
            configure()
            found = missing(stack) - lost
            figures.lost.append(len(found))
            lost |= found
    figures.accepted, figures.repairs = len(stack.accepted), power.repairs
    return figures


def missing(stack: Stack) -> set[str]:
    """The accepted jobs that Redis doesn't know."""
    ids = tuple(stack.accepted)
    with stack.redis.pipeline(transaction=False) as pipe:
        for job_id in ids:
            pipe.exists(f"job:{job_id}")
        return {job_id for job_id, exists in zip(ids, pipe.execute(), strict=True) if not exists}


def main() -> None:
    """Runs the cuts; the exit status says whether every accepted job was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--appendfsync", choices=["always", "everysec", "no"], default="always")
    parser.add_argument("--seed", type=int, default=None, help="Draws the same kinds of cuts.")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(32)
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory(prefix="power-")))
        (folder / "s3").mkdir()
        s3 = resources.enter_context(serving_s3(folder / "s3")).with_bucket()
        disk = Disk.make(folder / "stack")
        stack = resources.enter_context(running(disk.folder, s3, disk.prefix))
        stack.start_worker()
        power = Power(stack, disk, random.Random(seed))  # noqa: S311
        figures = cut_in_the_middle_of_posts(power, arguments.cuts, arguments.appendfsync)
        if not any(figures.lost):
            wait_kept(stack, SETTLES_S)
    sys.stdout.write(json.dumps({"seed": seed, "appendfsync": arguments.appendfsync, **asdict(figures)}) + "\n")
    sys.exit(any(figures.lost))


if __name__ == "__main__":
    main()
