"""The chart's query on a real stack: a Prometheus that scrapes the API, and workers that come and go as it says."""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from autoscaling_policy import SYNC_S, Autoscaler, Load, Rules

from riffusion.jobs.record import JobStatus
from tests.conftest import S3Server, wait_until
from tests.deploy.conftest import of_kind, render
from tests.faults.stack import Stack, Worker, running
from tests.monitoring.prometheus import Prometheus, needs_prometheus, scraping

pytestmark = needs_prometheus
# A second of the test is one period of the HPA.
RULES = Rules(0, 3, polling_s=SYNC_S, cooldown_s=5 * SYNC_S, stabilization_s=5 * SYNC_S, scrape_s=SYNC_S)
OPTIONS = ("--set", "workers.defaults.slots=4,autoscaling.waitSeconds=5")  # slots as the stack's workers have them


@dataclass
class Cluster:
    """Starts and stops the stack's workers as KEDA, the HPA and a ReplicaSet would, once a second."""

    stack: Stack
    prometheus: Prometheus
    serving: list[Worker] = field(default_factory=list)
    draining: list[Worker] = field(default_factory=list)
    most: int = 0
    stopped_busy: int = 0

    def __post_init__(self) -> None:
        scaled = list(of_kind(render("example", *OPTIONS), "ScaledObject"))[-1]
        self._query: str = scaled["spec"]["triggers"][0]["metadata"]["query"]
        self._scaler = Autoscaler(self._needed, RULES)
        self._last = 0.0
        self._now_s = 0

    def seen(self) -> bool:
        """Whether Prometheus has what the query asks for."""
        return bool(self.prometheus.query(self._query))

    def _needed(self, _load: Load) -> float:
        for sample in self.prometheus.query(self._query):
            self._last = float(sample["value"][1])
        return self._last  # without data, all stays as it is

    def step(self) -> None:
        """Lets a period pass."""
        time.sleep(1)
        self._now_s += SYNC_S
        wanted = self._scaler.step(self._now_s, Load(0, 0, 0.0))
        for _ in range(wanted - len(self.serving)):
            self.serving.append(self.stack.start_worker(wait=False))
        # The busiest first: a ReplicaSet doesn't know, so the worst may be.
        self.serving.sort(key=self._running)
        for worker in [self.serving.pop() for _ in range(len(self.serving) - wanted)]:
            self.stopped_busy += self._running(worker) > 0
            worker.process.send_signal(signal.SIGTERM)
            self.draining.append(worker)
        self.most = max(self.most, wanted)

    def wait_empty(self, timeout_s: float = 120) -> None:
        """Returns when there is no worker any more."""
        until = time.monotonic() + timeout_s
        while self.serving or any(worker.process.poll() is None for worker in self.draining):
            assert time.monotonic() < until, "workers stay"
            self.step()

    @staticmethod
    def _running(worker: Worker) -> float:
        return worker.metric("riffusion_worker_jobs_running") if worker.ready else 0.0


@pytest.fixture
def cluster(tmp_path: Path, rclone_server: S3Server) -> Iterator[Cluster]:
    """No worker yet, and a job that waits for the first."""
    # No lease ends by itself here, however busy the machine is: a job that begins twice was taken from its worker.
    with running(tmp_path / "stack", rclone_server.with_bucket(), lease_s=60) as stack:
        stack.submit("0")
        with scraping(tmp_path / "prometheus", {"riffusion-api": [f"127.0.0.1:{stack.port}"]}) as prometheus:
            made = Cluster(stack, prometheus)
            wait_until(made.seen, 30, "Prometheus has no queue of the model")
            yield made


def test_from_zero_to_three_and_back_without_a_job_that_begins_twice(cluster: Cluster) -> None:
    stack = cluster.stack
    for prompt in (*["20"] * 3, *["2"] * 30):  # the long ones keep workers busy that aren't needed any more
        stack.submit(prompt)
    cluster.step()
    cluster.wait_empty()
    assert cluster.most == RULES.largest
    assert cluster.stopped_busy
    stack.submit("1")
    cluster.step()
    while not stack.ended(*stack.accepted):
        cluster.step()
    cluster.wait_empty()
    assert {stack.get(job_id).status for job_id in stack.accepted} == {JobStatus.SUCCEEDED}
    assert set(stack.runs().values()) == {1}
    assert all(worker.process.returncode == 0 for worker in cluster.draining)
