"""When the end of a process is a crash, and when it is a set-up that can't work."""

import errno
import os
import time
from collections.abc import Iterator

import pytest

from riffusion.backoff import Backoff
from riffusion.embedded.child import Process, kill, spawn
from riffusion.embedded.service import Service
from riffusion.errors import SetupError, ToolMissing
from tests.conftest import wait_until


class Starts:
    """Starts one shell script after another, the last of them again and again; raises what isn't a script."""

    def __init__(self, *scripts: str | Exception) -> None:
        self.scripts = scripts
        self.processes: list[Process] = []
        self.count = 0

    def __call__(self) -> Process:
        script = self.scripts[min(self.count, len(self.scripts) - 1)]
        self.count += 1
        if isinstance(script, Exception):
            raise script
        self.processes.append(spawn(["sh", "-c", script]))
        return self.processes[-1]


@pytest.fixture
def services() -> Iterator[list[Service]]:
    made: list[Service] = []
    yield made
    for service in made:
        if service.process is not None:
            kill(service.process)
            service.process.wait()


def watch_until_started(service: Service, starts: Starts, count: int) -> None:
    def there() -> bool:
        service.watch()
        return starts.count >= count

    wait_until(there)


@pytest.mark.parametrize("end", ["kill -9 $$", f"exit {os.EX_TEMPFAIL}", "exit 0"])
def test_a_crash_before_it_served_is_no_faulty_set_up(end: str, services: list[Service]) -> None:
    starts = Starts(end, "sleep 600")
    services.append(service := Service("worker", starts, lambda: False, backoff=Backoff(0.05, 0.2)))
    service.launch()
    watch_until_started(service, starts, 2)
    assert service.running


def test_an_error_before_it_served_is_a_faulty_set_up() -> None:
    service = Service("worker", Starts("exit 7"), lambda: False)
    service.launch()
    with pytest.raises(SetupError, match="worker ended with status 7; its output says why"):
        watch_until_started(service, Starts(), 1)


def test_an_error_after_it_served_is_a_crash(services: list[Service]) -> None:
    starts = Starts("sleep 600", "exit 7", OSError(errno.ENOMEM, "no memory"), ToolMissing("gone"), "sleep 600")
    services.append(service := Service("redis", starts, lambda: True, backoff=Backoff(0.05, 0.2)))
    service.launch()
    wait_until(lambda: service.watch() or service.has_served)  # type: ignore[func-returns-value]
    kill(starts.processes[0])
    watch_until_started(service, starts, 5)
    wait_until(lambda: service.running)


@pytest.mark.parametrize("error", [OSError(errno.ENOMEM, "no memory"), ToolMissing("no server")])
def test_what_cannot_be_started_at_first_is_a_faulty_set_up(error: Exception) -> None:
    with pytest.raises(SetupError, match="no "):
        Service("redis", Starts(error), lambda: True).launch()


def test_each_start_comes_later_than_the_last(services: list[Service]) -> None:
    starts = Starts("kill -9 $$")
    services.append(service := Service("worker", starts, lambda: False, backoff=Backoff(0.05, 0.2)))
    began = time.monotonic()
    service.launch()
    watch_until_started(service, starts, 5)
    assert time.monotonic() - began > 0.05 + 0.1 + 0.2 + 0.2
