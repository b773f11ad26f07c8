"""Policies of autoscaling before the same arrivals: how long jobs wait, how many are refused, and what the GPUs cost.

    python bench/autoscaling.py [--clips-per-second 3.3] [--start-seconds 120] [--max-queued 1000] [--wait 20] …

Simulated with a fixed seed: a day's curve; a launch, from nothing to 23 requests a second within an hour, 4 million
in 48 h; and a raid, 60 a second for five minutes out of a quiet evening. Nothing here is measured: the speed of a
worker and the time until it takes jobs are assumptions, to be replaced by figures of your own. The policies are a fixed
number of workers for the peak; KEDA's usual one by the length of the queue (five jobs a worker, its default for lists
in Redis); seconds of work that wait alone; and the chart's: workers that are busy, and one more for each `--wait`
seconds of work that wait. The last line is JSON.
"""

import argparse
import json
import math
import random
from collections.abc import Callable, Iterator
from functools import partial

from autoscaling_policy import Autoscaler, Fixed, Load, Rules
from autoscaling_queue import Outcome, Policy, Queue, Site

SEED = 14
HOUR = 3600
LAUNCH = 23.4  # requests a second; with the hour before, 4 million in 48 h
Rate = Callable[[float], float]


def launch(hour: float) -> float:
    """Requests a second: a straight line for an hour, then as many for ever."""
    return LAUNCH * min(1.0, hour)


def raid(hour: float) -> float:
    """Requests a second: one, and sixty for five minutes after an hour."""
    return 60.0 if 1 <= hour < 1 + 5 / 60 else 1.0


def day(hour: float) -> float:
    """Requests a second: nearly none at five in the morning, eight at five in the afternoon."""
    return 4.0 * (1 - math.cos(2 * math.pi * (hour - 5) / 24)) + 0.05


TRACES: dict[str, tuple[Rate, float]] = {"day": (day, 24), "launch": (launch, 48), "raid": (raid, 3)}


def arrivals(rate: Rate, hours: float, seed: int = SEED) -> Iterator[int]:
    """Poisson counts of each second."""
    source = random.Random(seed)
    for second in range(int(hours * HOUR)):
        yield _poisson(source, rate(second / HOUR))


def _poisson(source: random.Random, mean: float) -> int:
    count, left = 0, source.expovariate(1.0)
    while left < mean:
        count += 1
        left += source.expovariate(1.0)
    return count


def by_length(load: Load) -> float:
    """KEDA's default: a worker for each five jobs that wait."""
    return load.waiting / 5


def by_waiting_work(load: Load, wait_s: float) -> float:
    """A worker for each `wait_s` seconds of work that wait."""
    return load.waiting_work_s / wait_s


def by_all_work(load: Load, wait_s: float, slots: int) -> float:
    """The chart's: the workers that what runs fills, and one for each `wait_s` seconds of work that wait."""
    return load.running / slots + load.waiting_work_s / wait_s


def policies(site: Site, peak: float, wait_s: float, rules: Rules) -> dict[str, Callable[[], Policy]]:
    """By name; each call makes another."""
    return {
        "fixed": lambda: Fixed(min(rules.largest, math.ceil(peak / site.clips_per_s / 0.9))),
        "queue length": partial(Autoscaler, by_length, rules),
        "waiting work": partial(Autoscaler, partial(by_waiting_work, wait_s=wait_s), rules),
        "chart": partial(Autoscaler, partial(by_all_work, wait_s=wait_s, slots=site.slots), rules),
    }


def summary(outcome: Outcome) -> dict[str, float]:
    """The figures of one run."""
    waits = sorted(outcome.waits_s) or [0.0]
    p50, p99 = (waits[int(share * (len(waits) - 1))] for share in (0.5, 0.99))
    asked = len(outcome.waits_s) + outcome.refused
    return {
        "jobs": asked, "p50_s": round(p50, 1), "p99_s": round(p99, 1), "refused": round(outcome.refused / asked, 5),
        "worker_hours": round(outcome.worker_s / HOUR, 1), "most": outcome.most, "stopped_busy": outcome.stopped_busy,
    }  # fmt: skip


def main() -> None:
    """Prints a table for each trace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips-per-second", type=float, default=3.3, help="of a worker")
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--start-seconds", type=float, default=120)
    parser.add_argument("--max-queued", type=int, default=1000)
    parser.add_argument("--wait", type=float, default=20)
    parser.add_argument("--largest", type=int, default=20, help="workers at most")
    parser.add_argument("--stabilization", type=int, default=300)
    parser.add_argument("--hours", type=float, default=48, help="of each trace at most")
    parser.add_argument("--only", choices=TRACES)
    args = parser.parse_args()
    site = Site(args.clips_per_second, args.slots, args.start_seconds, args.max_queued)
    rules = Rules(0, args.largest, stabilization_s=args.stabilization)
    results: dict[str, dict[str, dict[str, float]]] = {}
    for trace, (rate, longest) in TRACES.items():
        if args.only in (None, trace):
            results[trace] = _compare(trace, rate, min(longest, args.hours), site, wait_s=args.wait, rules=rules)
    print(json.dumps(results))


def _compare(
    trace: str, rate: Rate, hours: float, site: Site, *, wait_s: float, rules: Rules
) -> dict[str, dict[str, float]]:
    """Runs each policy on one trace and prints its row."""
    peak = max(rate(second / HOUR) for second in range(int(hours * HOUR)))
    print(f"\n{trace}: {hours:g} h, {peak:.3g} requests/s at most")
    print("| policy | p50 s | p99 s | refused | worker h | most | stopped busy |\n|---|---|---|---|---|---|---|")
    rows: dict[str, dict[str, float]] = {}
    for name, make in policies(site, peak, wait_s, rules).items():
        policy = make()
        ready = policy.workers if isinstance(policy, Fixed) else 0
        rows[name] = row = summary(Queue(site, policy, SEED).run(arrivals(rate, hours), ready=ready))
        print(
            f"| {name} | {row['p50_s']:.1f} | {row['p99_s']:.1f} | {row['refused']:.2%} | {row['worker_hours']:.1f} | "
            f"{row['most']} | {row['stopped_busy']} |",
            flush=True,
        )
    return rows


if __name__ == "__main__":
    main()
