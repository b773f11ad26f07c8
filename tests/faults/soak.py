"""Random faults under load, for as long as you like: `python -m tests.faults.soak --minutes 60`.

Three workers, two API processes, Redis with a replica, and S3, each its own process; a job a second of 0 to 3 s, some
of them canceled. Every 5 to 60 s a fault of chaos.py is drawn. What dies is started again a second later, as systemd or
`riffusion up` would. A fault's recovery is the time from its healing (from the kill, where something is killed) until
whatever ran when it began has ended or started again, and a job sent at the healing has succeeded.

Beside that load, clients use all of the API and record what they see (history/clients.py); in the end it is decided
whether their whole history is explained by the promise (history/check.py). It is kept beside the report.

Each fault is a line; in the end there is a table, and one line of JSON, which is also kept in --report all along.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from redis.exceptions import RedisError

from riffusion.errors import StoreUnavailable, UnavailableError
from riffusion.jobs.record import JobRecord, JobStatus
from tests.conftest import serving_s3
from tests.faults import previous
from tests.faults.chaos import Chaos
from tests.faults.figures import Usage, growth, recovery, table, usage
from tests.faults.history.check import check
from tests.faults.history.crowd import Crowd, crowd
from tests.faults.history.record import load
from tests.faults.history.violation import Violation
from tests.faults.power import Disk, NoDisk, Power
from tests.faults.promise import leftovers
from tests.faults.replicas import replicas
from tests.faults.stack import ROOT, Stack, Worker, running, wrong_clock

WORKERS = 3
RATE = 1.0  # jobs/s
CANCELED = 0.03  # of the jobs
RESTART_S = 1.0
DRAINS_S = 300.0
SETTINGS: dict[str, object] = {
    "lease_s": 10, "slots": 4, "api_workers": 2, "stalled_deadline_s": 60, "webhooks_anywhere": True,
    "redis_replicas": 1,
}  # fmt: skip


@dataclass
class Soak:
    """One run: the load, the watch over what dies, the faults, and the figures."""

    stack: Stack
    clock: Path
    report: Path
    minutes: float
    random: random.Random
    pause_s: float
    clients: Crowd
    power: Power | None = None
    previous: Path | None = None  # the source of the release before
    workers: list[Worker] = field(default_factory=list)
    ends: dict[str, JobRecord] = field(default_factory=dict)  # as first seen terminal
    recoveries: list[tuple[str, float]] = field(default_factory=list)
    resources: list[Usage] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)  # what should not have happened
    violations: list[Violation] = field(default_factory=list)  # of the clients' history
    over: threading.Event = field(default_factory=threading.Event)
    _died: dict[str, float] = field(default_factory=dict)

    def run(self) -> bool:
        """Whether nothing was lost, doubled, left over or unexplained."""
        self._env = wrong_clock(self.clock)
        self.workers += [self.stack.start_worker(env=self._env) for _ in range(WORKERS)]
        self.stack.stop_api()
        self.stack.start_api(env=self._env)
        older = previous.environment(self.previous) if self.previous else {}
        older |= {"PYTHONPATH": self._env["PYTHONPATH"].replace(str(ROOT), older["PYTHONPATH"])} if older else {}
        self.chaos = Chaos(self.stack, self.workers, self.clock, self.random, self.power, {**self._env, **older})
        threads = [threading.Thread(target=target) for target in (self._load, self._track)]
        for thread in threads:
            thread.start()
        self.clients.start()
        self._play(time.monotonic() + 60 * self.minutes)
        self.over.set()
        for thread in threads:
            thread.join()
        self.clients.stop()
        self._drain()
        self._explain()
        self._write(final=True)
        return not self.trouble

    # Load

    def _load(self) -> None:
        sending: list[threading.Thread] = []
        while not self.over.wait(self.random.expovariate(RATE)):
            seconds = self.random.choice([0, 0, 0.3, 1, 1, 2, 3])
            sending.append(threading.Thread(target=self._send, args=(str(seconds), self.random.random() < CANCELED)))
            sending[-1].start()
            sending = [thread for thread in sending if thread.is_alive()]
        for thread in sending:
            thread.join()

    def _send(self, prompt: str, cancel: bool) -> str | None:
        try:
            job_id = self.stack.submit(prompt, timeout_s=DRAINS_S)
        except AssertionError as error:
            self._note(f"not accepted: {error}")
            return None
        if cancel:
            with suppress(httpx.TransportError, AssertionError):  # it isn't repeated
                time.sleep(0.5)
                self.stack.cancel(job_id)
        return job_id

    def _track(self) -> None:
        """Keeps each job's record as it was when first seen terminal."""
        while not self.over.wait(0.5):
            self._read(job_id for job_id in tuple(self.stack.accepted) if job_id not in self.ends)

    def _read(self, ids: Iterable[str]) -> None:
        try:
            for job_id in ids:
                record = self.stack.get(job_id)
                if record.status.terminal:
                    self.ends[job_id] = record
        except StoreUnavailable:
            pass

    # Faults

    def _play(self, until: float) -> None:
        """In the one thread that starts processes: the kernel kills them when it ends."""
        fault, heal_at, heal, before = "", 0.0, None, {}
        names: list[str] = []
        draw_at = sample_at = time.monotonic() + 20
        while (now := time.monotonic()) < until or heal is not None:
            self._revive()
            if heal is not None and now >= heal_at:
                heal()
                self._recover(fault, before)
                heal, draw_at = None, max(now, draw_at)
            elif heal is None and draw_at <= now < until and self._all_alive():
                names = names or self.random.sample(sorted(self.chaos.faults()), len(self.chaos.faults()))
                fault, before = names.pop(), self._running()
                lasts, heal = self.chaos.faults()[fault]()
                heal_at, draw_at = now + lasts, now + self.random.uniform(min(5, self.pause_s), self.pause_s)
            if now >= sample_at:
                sample_at = now + 15
                self.resources.append(usage(self.stack, self.workers))
                self._write(final=False)
            time.sleep(0.1)

    def _all_alive(self) -> bool:
        return all(worker.process.poll() is None and worker.ready for worker in self.workers)

    def _revive(self) -> None:
        """Starts again what died."""
        for index, worker in enumerate(self.workers):
            if self._due(f"worker {index}", worker.process.poll() is not None):
                self.workers[index] = self.stack.start_worker(wait=False, env=self._env)
        assert self.stack.api is not None
        if self._due("api", self.stack.api.poll() is not None):
            self.stack.start_api(env=self._env, wait=False)

    def _due(self, name: str, dead: bool) -> bool:
        if not dead:
            return False
        if time.monotonic() < self._died.setdefault(name, time.monotonic()) + RESTART_S:
            return False
        del self._died[name]
        return True

    def _running(self) -> dict[str, int]:
        """Jobs that run now, with their attempts."""
        found: dict[str, int] = {}
        try:
            for job_id in tuple(self.stack.accepted):
                if job_id not in self.ends and job_id not in self.chaos.poisoned:
                    record = self.stack.get(job_id)
                    if record.status is JobStatus.RUNNING:
                        found[job_id] = record.attempts
        except StoreUnavailable:
            pass
        return found

    def _recover(self, fault: str, before: dict[str, int]) -> None:
        """Measures in the background how long it takes until all is well."""
        healed = time.monotonic()

        def measure() -> None:
            canary = self._send("0", cancel=False)
            waiting = {**before, **({canary: 99} if canary else {})}
            while waiting and time.monotonic() - healed < DRAINS_S:
                time.sleep(0.1)
                try:
                    records = {job_id: self.stack.get(job_id) for job_id in waiting}
                except StoreUnavailable:
                    continue
                waiting = {
                    job_id: attempts for job_id, attempts in waiting.items()
                    if not records[job_id].status.terminal and records[job_id].attempts <= attempts
                }  # fmt: skip
            seconds = time.monotonic() - healed
            if waiting:
                self._note(f"not recovered from {fault!r}: {sorted(waiting)}")
            self.recoveries.append((fault, seconds))
            sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {fault:<34} recovered in {seconds:6.2f} s\n")
            sys.stdout.flush()

        threading.Thread(target=measure).start()

    # Figures

    def _note(self, text: str) -> None:
        self.trouble.append(text)
        sys.stdout.write(f"{time.strftime('%H:%M:%S')}  TROUBLE {text}\n")
        sys.stdout.flush()

    def _drain(self) -> None:
        """Waits until nothing is under way, then holds what is there against the promise."""
        deadline = time.monotonic() + DRAINS_S
        trouble = ["never looked"]
        while trouble and time.monotonic() < deadline:
            self._revive()
            time.sleep(1)
            trouble = self._broken()
        for each in trouble:
            self._note(each)
        self.resources.append(usage(self.stack, self.workers))

    def _broken(self) -> list[str]:
        ids = set(self.stack.accepted)
        self._read(ids - self.ends.keys())
        missing = ids - self.ends.keys()
        wanted = {
            key for record in self.ends.values() if record.result
            for key in (record.result.image.key, record.result.audio.key)
        }  # fmt: skip
        found = self.stack.objects()
        try:
            listed = self.stack.listed()
            doubled = [job_id for job_id, record in self.ends.items() if self.stack.get(job_id) != record]
            left = [*leftovers(self.stack.store), *self.clients.pending()]
            wanted |= self.clients.results()
            uploads = self.clients.uploads()
        except (UnavailableError, RedisError) as error:
            return [f"not known yet: {error}"]
        return [
            *(f"lost: {job_id}" for job_id in missing),
            *(f"doubled: {job_id}" for job_id in doubled),
            *(f"file missing: {key}" for key in wanted - found),
            *(f"file that no job needs: {key}" for key in (found & listed) - wanted - uploads),
            *(f"left in Redis: {each}" for each in left),
        ]

    def _explain(self) -> None:
        """Decides over the clients' history."""
        self.clients.audit()
        for each in self.clients.failures:
            self._note(each)
        self.violations = check(load(self.clients.history.path))
        for violation in self.violations:
            self._note(str(violation))

    def figures(self) -> dict[str, Any]:
        """All of them, as of now."""
        ends = list(self.ends.values())
        failed = Counter(record.error.code for record in ends if record.error and record.id not in self.chaos.poisoned)
        drawn = Counter(record.error.code for record in ends if record.error and record.id in self.chaos.poisoned)
        return {
            "minutes": self.minutes, "accepted": len(self.stack.accepted) + self.clients.accepted(),
            "succeeded": sum(record.status is JobStatus.SUCCEEDED for record in ends),
            "canceled": sum(record.status is JobStatus.CANCELED for record in ends),
            "failed": dict(failed), "failed_as_drawn": dict(drawn),
            "lost": self._count("lost"), "doubled": self._count("doubled"),
            "unexplained": sum(violation.rule not in ("lost", "doubled") for violation in self.violations),
            "trouble": self.trouble[:20],
            "run_more_than_once": sum(count > 1 for count in self.stack.runs().values()),
            **recovery([seconds for _, seconds in self.recoveries]),
            **growth(self.resources),
        }  # fmt: skip

    def _count(self, what: str) -> int:
        return sum(text.startswith(what) for text in self.trouble)

    def _write(self, *, final: bool) -> None:
        figures = self.figures()
        self.report.write_text(json.dumps({**figures, "final": final}, indent=2))
        if final:
            sys.stdout.write("\n".join(["", *table(self.recoveries), "", json.dumps(figures), ""]))


def _disk(folder: Path) -> Disk | None:
    try:
        return Disk.make(folder)
    except NoDisk as error:
        sys.stdout.write(f"the power can't be cut here: {error}\n")
        return None


def _previous(folder: Path) -> Path | None:
    try:
        return previous.unpack(folder)
    except previous.NoHistory as error:
        sys.stdout.write(f"the release before can't be run here: {error}\n")
        return None


def main() -> None:
    """Runs one soak; the exit status says whether the promise was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None, help="Draws the same faults in the same order.")
    parser.add_argument("--pause", type=float, default=60, help="Seconds between two faults at most.")
    parser.add_argument("--report", type=Path, default=Path("build/soak.json"), help="Where the figures are kept.")
    arguments = parser.parse_args()
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().getrandbits(32)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    with ExitStack() as resources:
        (folder / "s3").mkdir()
        s3 = resources.enter_context(serving_s3(folder / "s3")).with_bucket()
        disk = _disk(folder / "redis0")
        nodes = resources.enter_context(replicas(folder, disk.prefix if disk else ()))
        stack = resources.enter_context(running(folder / "stack", s3, (), nodes, **SETTINGS))
        sys.stdout.write(f"seed {seed}, logs in {stack.folder}\n")
        draw = random.Random(seed)  # noqa: S311
        history = arguments.report.with_suffix(".history.jsonl")
        clients = resources.enter_context(crowd(stack.url, stack.store, history, random.Random(seed)))  # noqa: S311
        soak = Soak(
            stack, folder / "clock", arguments.report, arguments.minutes, draw, arguments.pause, clients,
            Power(stack, disk, draw) if disk else None, _previous(folder / "previous"),
        )  # fmt: skip
        kept = soak.run()
    if kept:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(not kept)


if __name__ == "__main__":
    main()
