"""A real stack, scraped by a real Prometheus."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tests.conftest import S3Server, wait_until
from tests.faults.stack import Stack, Worker, running
from tests.monitoring.prometheus import PROMETHEUS, Prometheus, scraping

FIRES_S = 60


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
        wait_until(lambda: not self.prometheus.firing(), 2 * FIRES_S, "alerts stay")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Watched]:
    """One for all tests of a module, each of which leaves it healthy."""
    if PROMETHEUS is None:
        pytest.skip("prometheus is missing")
    folder = tmp_path_factory.mktemp("watched")
    with running(folder / "stack", rclone_server.with_bucket(), webhooks_anywhere=True) as stack:
        stack.redis.config_set("maxmemory", 1 << 30)
        worker = stack.start_worker()
        targets = {
            "riffusion-api": [f"127.0.0.1:{stack.port}"],
            "riffusion-worker": [worker.metrics_url.split("/")[2]],
        }
        with scraping(folder / "prometheus", targets) as prometheus:
            yield Watched(stack, worker, prometheus)
