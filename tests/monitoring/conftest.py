"""A real stack, scraped by a real Prometheus."""

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import S3Server, wait_until
from tests.faults.stack import Stack, Worker, running
from tests.monitoring.prometheus import PROMETHEUS, Prometheus, scraping

FIRES_S = 120
MAXMEMORY = 1 << 30


@dataclass
class Watched:
    """The stack, with one worker that costs nothing, and its watcher."""

    stack: Stack
    worker: Worker
    prometheus: Prometheus

    def wait_firing(self, *alerts: str, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Returns when all of these fire; calls `meanwhile` again and again until then."""

        def firing() -> bool:
            meanwhile()
            return set(alerts) <= self.prometheus.firing()

        wait_until(firing, FIRES_S, f"not all of {alerts} fire")

    def wait_silent(self) -> None:
        """Returns when no alert fires."""
        deadline = time.monotonic() + 2 * FIRES_S
        while firing := self.prometheus.firing():
            assert time.monotonic() < deadline, f"these stay: {firing}"
            time.sleep(0.1)

    def recover(self) -> None:
        """Undoes what a test may have done to Redis, the worker and the ways to them, wherever it ended."""
        stack = self.stack
        stack.valkey.resume()
        self.worker.process.send_signal(signal.SIGCONT)
        for net in (stack.api_net, stack.storage_net, self.worker.net):
            net.fair()
            net.delay(0)
        stack.redis.config_set("maxmemory", MAXMEMORY)
        stack.redis.config_set("min-replicas-to-write", 0)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Watched]:
    """One for all tests of a module, each of which leaves it healthy."""
    if PROMETHEUS is None:
        pytest.skip("prometheus is missing")
    folder = tmp_path_factory.mktemp("watched")
    with running(folder / "stack", rclone_server.with_bucket(), webhooks_anywhere=True) as stack:
        stack.redis.config_set("maxmemory", MAXMEMORY)
        worker = stack.start_worker()
        targets = {
            "riffusion-api": [f"127.0.0.1:{stack.port}"],
            "riffusion-worker": [worker.metrics_url.split("/")[2]],
        }
        with scraping(folder / "prometheus", targets) as prometheus:
            yield Watched(stack, worker, prometheus)
