"""The faults that a soak draws from: each does its harm, says how long it lasts, and how it is healed."""

import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import psutil

from riffusion.embedded.child import kill
from tests.faults.power import Power
from tests.faults.stack import Stack, Worker, error_response, hang_up

Heal = Callable[[], object]
HOUR_S = 3600


@dataclass
class Chaos:
    """Harm to one stack, whose dead processes another part starts again."""

    stack: Stack
    workers: list[Worker]  # those alive
    clock: Path
    random: random.Random
    power: Power | None = None  # of the machine that Redis runs on, where it can be cut
    previous: Mapping[str, str] | None = None  # environment of processes of the release before, where it is at hand
    poisoned: list[str] = field(default_factory=list)  # jobs that can't succeed

    def faults(self) -> dict[str, Callable[[], tuple[float, Heal]]]:
        """All of them by name."""
        net = self.stack.storage_net
        more: dict[str, Callable[[], tuple[float, Heal]]] = {}
        if self.stack.nodes:
            more["Redis fails over, and back"] = self.fail_over
        if self.power:
            more["the power goes"] = self.cut_power
        if self.previous:
            more["a worker of the release before"] = self.start_previous
        return {
            **more,
            "kill -9 a worker": self.kill_worker,
            "kill -9 all workers": self.kill_workers,
            "SIGTERM a worker": self.stop_worker,
            "SIGTERM a worker, then SIGKILL": self.stop_and_kill_worker,
            "a worker sleeps past its lease": self.suspend_worker,
            "kill -9 the API": self.kill_api,
            "kill -9 one process of the API": self.kill_api_process,
            "kill -9 Redis": lambda: self.kill_redis(0),
            "kill -9 Redis, 10 s away": lambda: self.kill_redis(10),
            "Redis stopped for 5 s": self.suspend_redis,
            "Redis out of memory for 10 s": self.fill_redis,
            "all connections to Redis closed": self.hang_up,
            "a worker cut off from Redis": self.cut_worker_off,
            "the API cut off from Redis": self.cut_api_off,
            "Redis 0.3 s away": self.delay_redis,
            "S3 answers 500": lambda: self.storage(net.refuse, error_response(HTTPStatus.INTERNAL_SERVER_ERROR)),
            "S3 answers 503": lambda: self.storage(net.refuse, error_response(HTTPStatus.SERVICE_UNAVAILABLE)),
            "S3 resets": lambda: self.storage(net.reset),
            "S3 hangs": lambda: self.storage(net.black_hole),
            "a job that kills its worker": lambda: self.poison("die"),
            "a job that hangs": lambda: self.poison("hang"),
            "clocks an hour ahead": lambda: self.jump(HOUR_S),
            "clocks an hour behind": lambda: self.jump(-HOUR_S),
        }

    def any_worker(self) -> Worker:
        return self.random.choice([worker for worker in self.workers if worker.process.poll() is None])

    def kill_worker(self) -> tuple[float, Heal]:
        self.any_worker().kill()
        return 0, _nothing

    def kill_workers(self) -> tuple[float, Heal]:
        for worker in self.workers:
            worker.kill()
        return 0, _nothing

    def stop_worker(self) -> tuple[float, Heal]:
        self.any_worker().process.terminate()
        return 0, _nothing

    def stop_and_kill_worker(self) -> tuple[float, Heal]:
        worker = self.any_worker()
        worker.process.terminate()
        return self.random.uniform(0, 2), worker.kill

    def suspend_worker(self) -> tuple[float, Heal]:
        worker = self.any_worker()
        worker.process.send_signal(signal.SIGSTOP)
        return self.random.uniform(11, 20), lambda: worker.process.send_signal(signal.SIGCONT)

    def kill_api(self) -> tuple[float, Heal]:
        assert self.stack.api is not None
        kill(self.stack.api)
        return 0, _nothing

    def kill_api_process(self) -> tuple[float, Heal]:
        assert self.stack.api is not None
        if self.stack.api.poll() is None and (children := psutil.Process(self.stack.api.pid).children()):
            self.random.choice(children).kill()
        return 0, _nothing

    def kill_redis(self, seconds: float) -> tuple[float, Heal]:
        self.stack.valkey.kill()
        return seconds, self.stack.start_redis

    def fail_over(self) -> tuple[float, Heal]:
        def swap() -> None:
            assert self.stack.nodes is not None
            self.stack.nodes.fail_over()
            self.stack.lead_to_primary()

        swap()
        return self.random.uniform(5, 15), swap

    def cut_power(self) -> tuple[float, Heal]:
        assert self.power is not None
        self.power.cut()
        return self.random.uniform(0, 5), self.power.restore

    def start_previous(self) -> tuple[float, Heal]:
        worker = self.stack.start_worker(wait=False, env=self.previous)
        return self.random.uniform(20, 40), worker.process.terminate

    def suspend_redis(self) -> tuple[float, Heal]:
        self.stack.valkey.pause()
        return 5, self.stack.valkey.resume

    def fill_redis(self) -> tuple[float, Heal]:
        self.stack.redis.config_set("maxmemory", "1mb")
        return 10, lambda: self.stack.redis.config_set("maxmemory", "0")

    def hang_up(self) -> tuple[float, Heal]:
        hang_up(self.stack)
        return 0, _nothing

    def cut_worker_off(self) -> tuple[float, Heal]:
        net = self.any_worker().net
        net.black_hole()
        return self.random.uniform(2, 25), net.fair

    def cut_api_off(self) -> tuple[float, Heal]:
        self.stack.api_net.black_hole()
        return self.random.uniform(2, 10), self.stack.api_net.fair

    def delay_redis(self) -> tuple[float, Heal]:
        nets = [self.stack.api_net, *(worker.net for worker in self.workers)]

        def set_delay(seconds: float) -> None:
            for net in nets:
                net.delay(seconds)

        set_delay(0.15)  # each way
        return 10, lambda: set_delay(0)

    def storage(self, begin: Callable[..., None], *how: bytes) -> tuple[float, Heal]:
        begin(*how)
        return self.random.uniform(5, 30), self.stack.storage_net.fair

    def poison(self, word: str) -> tuple[float, Heal]:
        self.poisoned.append(self.stack.submit(word))
        return 0, _nothing

    def jump(self, seconds: int) -> tuple[float, Heal]:
        self.clock.write_text(str(seconds))
        return self.random.uniform(5, 20), lambda: self.clock.write_text("0")


def _nothing() -> None:
    """Who was killed is started again by who watches over it."""
