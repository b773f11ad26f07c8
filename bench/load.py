"""The cost of the API on top of its server and Redis: submits and polls from up to 2000 connections at once.

    python bench/load.py [--rounds 3] [--seconds 4] [--levels 64,500,2000] [--records 100000] [--open-seconds 24]

ours      the API under its own server, and Redis, which writes to disk before it responds
unshed    the same without load shedding (bench/without_shedding.py): every request is served, and its cost measured
baseline  bench/load_baseline.py under the same server: a durable SET a submit, a HGETALL of the same record a poll

At each level all connections poll, or all submit, without a pause, in alternating order. Ratios of rates, and of the
servers' processor time a response, are taken within a round; only the latter hold on a busy machine. Then a worker
whose model costs nothing runs the jobs while as many clients as the highest level send requests on a schedule
(bench/open_loop.py), and while nine in ten connections of that level poll without a pause and the others submit: its
latencies and errors, and the memory before and after. Last, the middle level again over many records. The last line
is JSON.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import httpx
from job_queue import BODY, NoModel
from load_client import SHED, Request, drive
from load_stack import GOOD, Measured, Stack, stack, worker
from open_loop import open_loop

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import AudioOutput, ImageOutput, JobOutput, Success
from riffusion.jobs.tenants import Tenant
from riffusion.requests import ModelCard, parse
from riffusion.settings import Settings

JOBS = 64  # that are polled, half of them done
OUTPUT = JobOutput(
    ImageOutput("results/x/1/clip.png", 512, 512, 9), AudioOutput("results/x/1/clip.mp3", 5, 1, 1, "mp3", 9)
)
FIGURES = ("submits/s", "submit ratio", "submit CPU ratio", "polls/s", "poll ratio", "poll CPU ratio", "304 CPU / 200")


def requests(running: Stack) -> tuple[list[str], dict[str, Request]]:
    """Ids of jobs, half waiting and half done, and what makes the next request of each kind; polls take turns."""
    base = f"http://127.0.0.1:{running.ports['ours']}"
    running.store.models.register("bench", "tiny", 8, ModelCard(guidance=7.0))  # as every worker does
    ids = [httpx.post(f"{base}/jobs", json=BODY, timeout=60).raise_for_status().json()["id"] for _ in range(JOBS)]
    for number in range(JOBS // 2):
        record = running.store.claim("tiny", "bench", f"{number:016}")
        assert record is not None
        assert running.store.finish(record.id, record.token, Success(OUTPUT))
    body = json.dumps(BODY).encode()
    head = f"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    polls = cycle([f"GET /jobs/{job_id} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for job_id in ids])
    submit = head.encode() + body
    return ids, {"submit": lambda: submit, "poll": lambda: next(polls)}


def unchanged(running: Stack, ids: list[str]) -> Request:
    """What makes the next poll with a job's present tag; tags change with time, because links do."""
    base = f"http://127.0.0.1:{running.ports['ours']}"
    tags = [httpx.get(f"{base}/jobs/{job_id}", timeout=60).headers["ETag"] for job_id in ids]
    polls = cycle([
        f"GET /jobs/{job_id} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\n\r\n".encode()
        for job_id, tag in zip(ids, tags, strict=True)
    ])  # fmt: skip
    return lambda: next(polls)


@dataclass
class Level:
    """The figures of some rounds at one number of connections, a number a round."""

    figures: dict[str, list[float]]
    errors: int

    def median(self, name: str) -> float:
        """Of one figure."""
        return round(statistics.median(self.figures[name]), 2)


def measure(
    running: Stack, ids: list[str], made: dict[str, Request], connections: int, *, rounds: int, seconds: float
) -> Level:
    """Ours against the baseline, in turn."""
    level = Level({name: [] for name in FIGURES}, 0)
    for number in range(rounds):
        found: dict[str, dict[str, Measured]] = {"submit": {}, "poll": {}}
        for kind, each in found.items():
            for name in ("unshed", "baseline") if number % 2 == 0 else ("baseline", "unshed"):
                each[name] = running.rate(name, kind, made[kind], connections, seconds)
        again = running.rate("unshed", "unchanged", unchanged(running, ids), connections, seconds)
        level.errors += sum(one.errors for each in found.values() for one in each.values()) + again.errors
        for kind, each in found.items():
            level.figures[f"{kind}s/s"].append(each["unshed"].rate)
            level.figures[f"{kind} ratio"].append(each["unshed"].rate / each["baseline"].rate)
            level.figures[f"{kind} CPU ratio"].append(each["baseline"].cpu_ms / each["unshed"].cpu_ms)
        level.figures["304 CPU / 200"].append(again.cpu_ms / found["poll"]["unshed"].cpu_ms)
    texts = [f"{statistics.median(each):.2f} ({min(each):.2f}-{max(each):.2f})" for each in level.figures.values()]
    print(f"{connections:6}" + "".join(f"{text:>24}" for text in texts) + f"{level.errors:8}", flush=True)
    return level


def mixed(running: Stack, made: dict[str, Request], connections: int, seconds: float) -> dict[str, object]:
    """Polls and submits at once, twice, with the memory before and after the second time."""
    submitters = connections // 10
    kinds = {"poll": (connections - submitters, made["poll"]), "submit": (submitters, made["submit"])}
    drive(running.ports["ours"], kinds, seconds)
    before = running.memory_mib()
    found = drive(running.ports["ours"], kinds, 3 * seconds)
    after = running.memory_mib()
    latencies = {kind: statistics.quantiles(sample.latencies_ms or [0, 0], n=100) for kind, sample in found.items()}
    return {
        "polls_per_s": round(found["poll"].rate), "submits_per_s": round(found["submit"].rate),
        "poll_p50_ms": round(latencies["poll"][49]), "p99_ms": round(latencies["poll"][98]),
        "submit_p50_ms": round(latencies["submit"][49]), "submit_p99_ms": round(latencies["submit"][98]),
        "shed_per_s": round(sum(sample.statuses[SHED] / sample.seconds for sample in found.values())),
        "errors": sum(sample.errors(GOOD[kind], SHED) for kind, sample in found.items()),
        "memory_mib": [before, after],
    }  # fmt: skip


def fill(running: Stack, records: int) -> None:
    """Adds so many waiting jobs, without waiting for the disk."""
    running.store.redis.config_set("appendfsync", "no")
    request = parse(BODY)
    for number in range(0, records, 16):
        running.store.accept([Submission(request, Tenant(f"client {number % 997}"))] * 16)
    running.store.redis.config_set("appendfsync", "always")


def main() -> None:
    """Measures and prints a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--levels", default="64,500,2000")
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--open-seconds", type=float, default=24.0)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        from worker.app import serve

        sys.exit(serve(Settings(), NoModel.load))

    levels = [int(level) for level in args.levels.split(",")]
    with tempfile.TemporaryDirectory() as folder, stack(Path(folder)) as running:
        ids, made = requests(running)
        print(f"{'':6}" + "".join(f"{name:>24}" for name in FIGURES) + f"{'errors':>8}")
        found = {
            level: measure(running, ids, made, level, rounds=args.rounds, seconds=args.seconds) for level in levels
        }
        with worker(running):
            clocked = open_loop(running.ports, made["poll"], made["submit"], levels[-1], args.open_seconds)
            together = mixed(running, made, levels[-1], args.seconds)
            print(f"at once, with a worker: {json.dumps(together)}")
        middle = levels[len(levels) // 2]
        print(f"with {args.records} records more:")
        running.store.redis.flushall()  # the worker has ended what was polled
        ids, made = requests(running)
        fill(running, args.records)
        full = measure(running, ids, made, middle, rounds=args.rounds, seconds=args.seconds)
    everything = [*found.values(), full]
    keys: dict[str, object] = {
        "submit_ratio": found[middle].median("submit ratio"),
        "poll_ratio": found[middle].median("poll ratio"),
        "p99_ms": together["p99_ms"],
        "errors": sum(level.errors for level in everything) + int(str(together["errors"])),
        "connections": levels[-1],
        "submit_cpu_ratio": found[middle].median("submit CPU ratio"),
        "poll_cpu_ratio": found[middle].median("poll CPU ratio"),
        "unchanged_cpu_over_poll": found[middle].median("304 CPU / 200"),
        "full": {name: full.median(name) for name in FIGURES},
        "memory_mib": together["memory_mib"],
        "open_p50_ms": clocked["twice"]["p50_ms"],
        "open_p99_ms": clocked["twice"]["p99_ms"],
        "shed_p99_ms": clocked["twice"]["shed_p99_ms"],
        "open_errors": sum(int(str(clocked[phase]["errors"])) for phase in ("carried", "twice")),
        "open": clocked,
    }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}"
    print(json.dumps(keys | {"machine": machine, "date": f"{datetime.now(UTC):%Y-%m-%d}"}))


if __name__ == "__main__":
    main()
