"""A queue and its workers in simulated time: jobs arrive, wait in order, and take a slot each, or are refused.

A worker that is to stop takes no new job and ends when its last one does, as `worker/shutdown.py` has it. It is chosen
at random, because the HPA doesn't know which are busy.
"""

import heapq
import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from autoscaling_policy import Load


class Policy(Protocol):
    """Says how many workers there should be."""

    def step(self, now_s: int, load: Load) -> int:
        """The workers wanted from this second on."""


@dataclass(frozen=True)
class Site:
    """What workers can do, and what the queue holds."""

    clips_per_s: float
    """Of one worker whose slots are all taken."""
    slots: int
    start_s: float
    """From the request for a worker until it takes jobs."""
    max_queued: int


@dataclass
class Worker:
    """One pod."""

    began_s: float
    running: int = 0
    ready: bool = False
    stopping: bool = False


@dataclass
class Outcome:
    """What happened."""

    waits_s: list[float] = field(default_factory=list)
    """Of each job that was accepted, from its arrival until it ran."""
    refused: int = 0
    worker_s: float = 0.0
    """Seconds of all workers together, starting and stopping included."""
    most: int = 0
    """Workers at once."""
    stopped_busy: int = 0
    """Workers that were to stop while jobs ran on them, which these then finished."""


class Queue:
    """One model's queue and workers, under a policy."""

    def __init__(self, site: Site, policy: Policy, seed: int) -> None:
        self.outcome = Outcome()
        self._site = site
        self._policy = policy
        self._random = random.Random(seed)
        self._job_s = site.slots / site.clips_per_s
        self._waiting: deque[float] = deque()
        self._workers: list[Worker] = []
        self._idle: deque[Worker] = deque()  # once for each free slot; of stopped ones, too
        self._ends: list[tuple[float, int, Worker]] = []
        self._starts: deque[tuple[float, Worker]] = deque()
        self._number = 0
        self._running = 0

    def run(self, arrivals: Iterable[int], *, ready: int = 0) -> Outcome:
        """Runs jobs until none is left.

        Args:
            arrivals: how many jobs arrive in each second.
            ready: workers that take jobs from the beginning.
        """
        for _ in range(ready):
            self._workers.append(Worker(0.0))
            self._begin(self._workers[-1], 0.0)
        now_s = 0
        for now_s, count in enumerate(arrivals):
            self._second(now_s, sorted(now_s + self._random.random() for _ in range(count)))
        while self._waiting or self._running:
            now_s += 1
            self._second(now_s, [])
        self.outcome.worker_s += sum(now_s - worker.began_s for worker in self._workers)
        return self.outcome

    def _second(self, now_s: int, arrivals: list[float]) -> None:
        self._scale(now_s)
        for at_s in arrivals:
            self._advance(at_s)
            self._arrive(at_s)
        self._advance(now_s + 1)

    def _scale(self, now_s: int) -> None:
        load = Load(len(self._waiting), self._running, len(self._waiting) / self._site.clips_per_s)
        wanted = self._policy.step(now_s, load)
        serving = [worker for worker in self._workers if not worker.stopping]
        for _ in range(wanted - len(serving)):
            worker = Worker(now_s)
            self._workers.append(worker)
            self._starts.append((now_s + self._site.start_s, worker))
        starting = [worker for worker in serving if not worker.ready]  # a ReplicaSet stops these first
        ready = [worker for worker in serving if worker.ready]
        for worker in [*starting, *self._random.sample(ready, len(ready))][: max(0, len(serving) - wanted)]:
            worker.stopping = True
            self.outcome.stopped_busy += worker.running > 0
            if worker.running == 0:
                self._end(worker, now_s)
        self.outcome.most = max(self.outcome.most, len(self._workers))

    def _advance(self, until_s: float) -> None:
        while True:
            start_s = self._starts[0][0] if self._starts else until_s
            end_s = self._ends[0][0] if self._ends else until_s
            if min(start_s, end_s) >= until_s:
                return
            if start_s < end_s:
                _, worker = self._starts.popleft()
                if not worker.stopping:
                    self._begin(worker, start_s)
            else:
                _, _, worker = heapq.heappop(self._ends)
                self._free(worker, end_s)

    def _arrive(self, at_s: float) -> None:
        while self._idle:
            worker = self._idle.popleft()
            if not worker.stopping:
                self._start(worker, at_s, at_s)
                return
        if len(self._waiting) >= self._site.max_queued:
            self.outcome.refused += 1
        else:
            self._waiting.append(at_s)

    def _begin(self, worker: Worker, now_s: float) -> None:
        worker.ready = True
        for _ in range(self._site.slots):
            self._take(worker, now_s)

    def _free(self, worker: Worker, now_s: float) -> None:
        worker.running -= 1
        self._running -= 1
        if not worker.stopping:
            self._take(worker, now_s)
        elif worker.running == 0:
            self._end(worker, now_s)

    def _take(self, worker: Worker, now_s: float) -> None:
        if self._waiting:
            self._start(worker, now_s, self._waiting.popleft())
        else:
            self._idle.append(worker)

    def _start(self, worker: Worker, now_s: float, arrived_s: float) -> None:
        self.outcome.waits_s.append(now_s - arrived_s)
        worker.running += 1
        self._running += 1
        self._number += 1
        heapq.heappush(self._ends, (now_s + self._job_s * self._random.uniform(0.8, 1.2), self._number, worker))

    def _end(self, worker: Worker, now_s: float) -> None:
        self._workers.remove(worker)
        self.outcome.worker_s += now_s - worker.began_s
