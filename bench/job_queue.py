"""The cost of the durable queue: jobs that do nothing through the whole stack, against a plain Celery task.

    python bench/job_queue.py [--rounds 5] [--jobs 200] [--alone 20] [--clients 8]

ours      API under gunicorn, Redis, a worker whose model makes two tiny files at once, local storage
baseline  bench/celery_baseline.py: Flask under the same gunicorn, a Celery task that returns a string, a result backend

Both use the same Redis, which writes to disk before it responds, as many processes and threads, and the
same client. In each round, in alternating order, each serves `alone` jobs one after another, whose latency is measured,
then `jobs` from `clients` connections at once, whose rate is measured. A job's latency runs from before its POST to the
moment that the server gives as its completion; the rate is that of completions since the first POST. Ratios and
differences are taken within a round, and their medians over the rounds are printed, with the lowest and highest; the
last line is JSON.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from riffusion.embedded.child import spawn, stop
from riffusion.embedded.valkey import Valkey
from riffusion.generate import Clip, Control
from riffusion.requests import AnyRequest, ModelCard
from riffusion.settings import Settings

HERE = Path(__file__).parent
BODY = {"mode": "text-to-audio", "prompt": "funk bassline with a jazzy saxophone solo"}  # without a seed: never a copy
STARTS_S = 120.0
ENDS_S = 300.0
GRACE_S = 20.0


class NoModel:
    """Makes the same two tiny files for any request, at once."""

    alive = True
    card = ModelCard()

    @classmethod
    def load(cls, _settings: Settings) -> "NoModel":
        """As the real generator's."""
        return cls()

    def load_ahead(self) -> None:
        """As the real generator's."""

    def run(self, request: AnyRequest, _inputs: Mapping[str, bytes], control: Control) -> Clip:
        """As the real generator's."""
        control.check()
        return Clip(b"picture", b"sound", request.format, 5.12, 44_100, 1, 512, 512)

    def close(self) -> None:
        """As the real generator's."""


@dataclass(frozen=True)
class Measured:
    """One way in one round."""

    latencies_ms: list[float]
    """Of jobs one after another."""
    rate: float
    """Jobs a second."""


class Stack:
    """One way to serve jobs, used over HTTP."""

    def __init__(self, url: str, connections: int) -> None:
        self._client = httpx.Client(
            base_url=url, timeout=60, limits=httpx.Limits(max_connections=connections, max_keepalive_connections=None)
        )

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def measure(self, alone: int, jobs: int, clients: int) -> Measured:
        """A round."""
        latencies = []
        for _ in range(alone):
            began = time.time()
            latencies.append(1000 * (self._completion(self._submit()) - began))
        began = time.time()
        with ThreadPoolExecutor(clients) as pool:
            ids = list(pool.map(lambda _: self._submit(), range(jobs)))
        completions = [self._completion(job_id) for job_id in reversed(ids)]
        return Measured(latencies, jobs / (max(completions) - began))

    def _submit(self) -> str:
        return str(self._client.post("/jobs", json=BODY).raise_for_status().json()["id"])

    def _completion(self, job_id: str) -> float:
        """When it was done, on the server's clock, which is ours; asked for seldom, so that asking costs little."""
        deadline = time.monotonic() + ENDS_S
        while time.monotonic() < deadline:
            job = self._client.get(f"/jobs/{job_id}").raise_for_status().json()
            if job["status"] == "succeeded":
                return datetime.fromisoformat(job["completed_at"]).timestamp()
            time.sleep(0.02)
        raise TimeoutError(f"job {job_id} is still {job['status']}")


@contextmanager
def both(folder: Path, settings: Settings, connections: int) -> Iterator[dict[str, Stack]]:
    """The two ways, served until the end."""
    with ExitStack() as running:
        output = running.enter_context((folder / "log").open("ab"))
        valkey = Valkey(folder / "redis")

        def start(*argv: str, listener: socket.socket | None = None) -> None:
            pass_fds = [listener.fileno()] if listener else []
            process = spawn([sys.executable, *argv], env=env, output=output, pass_fds=pass_fds)
            running.callback(stop, process, GRACE_S)

        running.callback(stop, valkey.start(output=output), GRACE_S)
        until(valkey.serves)
        listeners = {
            name: running.enter_context(socket.create_server(("127.0.0.1", 0))) for name in ("ours", "baseline")
        }
        urls = {name: f"http://127.0.0.1:{listener.getsockname()[1]}" for name, listener in listeners.items()}
        env = os.environ | {
            "PYTHONPATH": f"{HERE}:{HERE.parent}",
            "RIFFUSION_REDIS_URL": valkey.url,
            "RIFFUSION_DATA_DIR": str(folder),
            "RIFFUSION_ANONYMOUS_CREATES_PER_MINUTE": "0",  # the clients here share one address
            "RIFFUSION_ANONYMOUS_JOBS_IN_FLIGHT": "0",
            "RIFFUSION_ANONYMOUS_JOBS_KEPT": "0",
            "RIFFUSION_PUBLIC_URL": urls["ours"],
        }
        start("-m", "riffusion", "api", "--fd", str(listeners["ours"].fileno()), listener=listeners["ours"])
        start(__file__, "--worker")
        gunicorn = [
            "--worker-class",
            "api.gunicorn_worker.Worker",
            "--workers",
            f"{settings.api_workers}",
            "--keep-alive",
            "75",
        ]
        gunicorn += ["--worker-connections", f"{settings.api_connections}"]
        gunicorn += ["--bind", f"fd://{listeners['baseline'].fileno()}"]
        start("-m", "gunicorn", "--no-control-socket", *gunicorn, "celery_baseline:app", listener=listeners["baseline"])
        celery = ["-A", "celery_baseline:tasks", "worker", "--pool", "threads", "--concurrency", f"{settings.slots}"]
        start("-m", "celery", *celery, "--without-gossip", "--without-mingle", "--without-heartbeat")
        stacks = {name: running.enter_context(closing(Stack(url, connections))) for name, url in urls.items()}
        until(lambda: bool(httpx.get(f"{urls['ours']}/models", timeout=60).json()["models"]))
        yield stacks


def until(condition: Callable[[], bool]) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + STARTS_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the stack doesn't start")
        time.sleep(0.1)


def compare(rounds: list[dict[str, Measured]]) -> dict[str, list[float]]:
    """What to print, each with one value a round."""

    def p50(name: str) -> list[float]:
        return [statistics.median(found[name].latencies_ms) for found in rounds]

    def rate(name: str) -> list[float]:
        return [found[name].rate for found in rounds]

    return {
        "ours_jobs_per_s": rate("ours"),
        "baseline_jobs_per_s": rate("baseline"),
        "rate_ratio": [ours / base for ours, base in zip(rate("ours"), rate("baseline"), strict=True)],
        "ours_p50_ms": p50("ours"),
        "baseline_p50_ms": p50("baseline"),
        "extra_p50_ms": [ours - base for ours, base in zip(p50("ours"), p50("baseline"), strict=True)],
    }


def main() -> None:
    """Measures and prints a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--alone", type=int, default=20)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        from worker.app import serve

        sys.exit(serve(Settings(), NoModel.load))

    rounds = []
    with tempfile.TemporaryDirectory() as folder, both(Path(folder), Settings(), args.clients) as stacks:
        for stack in stacks.values():
            stack.measure(args.clients, args.jobs // 4, args.clients)  # warms both up
        for number in range(args.rounds):
            names = list(stacks) if number % 2 == 0 else list(stacks)[::-1]
            found = {name: stacks[name].measure(args.alone, args.jobs, args.clients) for name in names}
            rounds.append(found)
            print(f"round {number + 1}: {json.dumps({name: round(each.rate, 1) for name, each in found.items()})}")
    rows = compare(rounds)
    print(f"\n{'':18}{'median':>10}{'lowest':>10}{'highest':>10}")
    for name, values in rows.items():
        print(f"{name:18}{statistics.median(values):10.2f}{min(values):10.2f}{max(values):10.2f}")
    keys: dict[str, object] = {name: round(statistics.median(values), 3) for name, values in rows.items()}
    machine = f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}"
    print(json.dumps(keys | {"machine": machine, "date": f"{datetime.now(UTC):%Y-%m-%d}"}))


if __name__ == "__main__":
    main()
