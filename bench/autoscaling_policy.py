"""What KEDA and the HorizontalPodAutoscaler do with a metric, after their sources, in simulated time.

KEDA polls the metric and takes the workers from 0 to 1 and back; everything between is the HPA's. It asks for
ceil(metric / threshold) workers, does nothing within a tenth of what there is, adds no more in 15 s than as many again
or four, and removes what the highest of its recommendations of the last minutes doesn't need (Kubernetes' source,
pkg/controller/podautoscaler: replica_calculator.go and horizontal.go; KEDA's reference of ScaledObject, 2.18).
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

SYNC_S = 15  # --horizontal-pod-autoscaler-sync-period
TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance


@dataclass(frozen=True)
class Load:
    """What Prometheus has of a model's queue."""

    waiting: int
    """Jobs."""
    running: int
    """Jobs."""
    waiting_work_s: float
    """Seconds that one worker would take for those that wait."""


@dataclass(frozen=True)
class Rules:
    """Of a ScaledObject."""

    smallest: int
    largest: int
    polling_s: int = 15
    cooldown_s: int = 300
    stabilization_s: int = 300
    scrape_s: int = 15  # how old Prometheus' newest value may be


@dataclass
class Autoscaler:
    """Decides how many workers there should be; to be called once a second.

    Args:
        needed: the workers that a load needs: the metric over its threshold.
    """

    needed: Callable[[Load], float]
    rules: Rules
    wanted: int = 0
    _seen: Load = Load(0, 0, 0.0)
    _last_active_s: int = 0
    _recommended: deque[tuple[int, int]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.wanted = self.rules.smallest

    def step(self, now_s: int, load: Load) -> int:
        """The workers wanted from this second on."""
        if now_s % self.rules.scrape_s == 0:
            self._seen = load
        metric = self.needed(self._seen)
        if now_s % self.rules.polling_s == 0:
            self._activate(now_s, active=metric > 0)
        if now_s % SYNC_S == 0 and self.wanted > 0:
            self._synchronise(now_s, metric)
        return self.wanted

    def _activate(self, now_s: int, *, active: bool) -> None:
        if active:
            self._last_active_s = now_s
            self.wanted = max(self.wanted, 1)
        elif self.rules.smallest == 0 and now_s - self._last_active_s >= self.rules.cooldown_s:
            self.wanted = 0
            self._recommended.clear()

    def _synchronise(self, now_s: int, metric: float) -> None:
        recommended = self.wanted if abs(metric / self.wanted - 1) <= TOLERANCE else math.ceil(metric)
        self._recommended.append((now_s, recommended))
        while self._recommended[0][0] < now_s - self.rules.stabilization_s:
            self._recommended.popleft()
        if recommended < self.wanted:
            recommended = min(self.wanted, max(workers for _, workers in self._recommended))
        most = max(2 * self.wanted, self.wanted + 4)
        self.wanted = min(max(recommended, self.rules.smallest, 1), most, self.rules.largest)


@dataclass(frozen=True)
class Fixed:
    """As many workers at all times."""

    workers: int

    def step(self, _now_s: int, _load: Load) -> int:
        """The same every second."""
        return self.workers
