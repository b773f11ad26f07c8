"""A soak's figures: how long recovery took, and what the processes hold."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import psutil

from tests.faults.stack import Stack, Worker

Usage = dict[str, tuple[float, float]]
"""Resident memory in MB and open descriptors, mean over the processes of a kind."""
KINDS = 3  # API, workers, Redis


def usage(stack: Stack, workers: Sequence[Worker]) -> Usage:
    """What they hold now; kinds that are just dead are left out."""
    assert stack.api is not None
    kinds: dict[str, list[int]] = {
        "api": [stack.api.pid], "worker": [worker.process.pid for worker in workers],
        "redis": [stack.valkey.process.pid],
    }  # fmt: skip
    found: Usage = {}
    for kind, pids in kinds.items():
        try:
            processes = [psutil.Process(pid) for pid in pids]
            processes = processes[0].children() if kind == "api" else processes
            found[kind] = (
                statistics.mean(process.memory_info().rss / 1e6 for process in processes),
                statistics.mean(process.num_fds() for process in processes),
            )
        except (psutil.Error, statistics.StatisticsError):
            continue
    return found


def growth(samples: Sequence[Usage]) -> dict[str, Any]:
    """The first and the last sample in which all kinds were alive."""
    whole = [sample for sample in samples if len(sample) == KINDS]
    ends = (whole[0], whole[-1]) if whole else ()
    return {
        name: {kind: [round(sample[kind][index], 1) for sample in ends] for kind in (ends[0] if ends else ())}
        for index, name in enumerate(("rss_mb", "descriptors"))
    }


def recovery(seconds: Sequence[float]) -> dict[str, Any]:
    """How many faults there were, and how long after them all was well again."""
    times = sorted(seconds) or [0.0]
    p99 = round(times[int(0.99 * (len(times) - 1))], 2)
    return {
        "faults": len(seconds), "recovery_p50_s": round(statistics.median(times), 2), "recovery_p99_s": p99,
        "recovery_max_s": round(times[-1], 2),
    }  # fmt: skip


def table(recoveries: Sequence[tuple[str, float]]) -> list[str]:
    """Recovery by fault, in Markdown."""
    by_fault: defaultdict[str, list[float]] = defaultdict(list)
    for fault, seconds in recoveries:
        by_fault[fault].append(seconds)
    return [
        "| fault | times | recovery, median | worst |", "|---|---|---|---|",
        *(
            f"| {fault} | {len(times)} | {statistics.median(times):.1f} s | {max(times):.1f} s |"
            for fault, times in sorted(by_fault.items())
        ),
    ]  # fmt: skip
