"""The whole service as processes that a test may hurt: valkey-server, S3, gunicorn and Celery workers.

API and workers reach Redis each through a proxy of its own, and the storage through one that they share, so that any of
these ways can be cut. Everything is the real thing but the model, which costs nothing and does what the prompt says.
"""

import os
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
from redis import Redis

from riffusion.embedded.child import Process, kill, spawn, stop
from riffusion.errors import StoreUnavailable
from riffusion.jobs.erasures import FOLDER as ERASURES
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.conftest import S3Server, ValkeyServer, free_port, wait_until
from tests.faults.proxy import Proxy
from tests.faults.replicas import DURABLE, Replicas, Watched
from tests.faults.worker import JOURNAL

ROOT = Path(__file__).parents[2]
STARTS_S = 90.0
QUICK: dict[str, object] = {
    "lease_s": 2, "slots": 4, "api_workers": 1,
    # All the load comes from one address.
    "anonymous_creates_per_minute": 0, "anonymous_jobs_in_flight": 0, "anonymous_jobs_kept": 0,
    "anonymous_request_bytes": 0, "anonymous_stored_bytes": 0,
}  # fmt: skip
http = httpx.Client(timeout=60)
RETRIED = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INTERNAL_SERVER_ERROR}


def figure(url: str, name: str) -> float:
    """One sample of the metrics at an address."""
    lines = http.get(url).text.splitlines()
    return float(next(line for line in lines if line.startswith(f"{name} ")).split()[-1])


@dataclass
class Worker:
    """A worker process, and its way to Redis."""

    process: Process
    net: Proxy
    log: Path
    metrics_url: str

    @property
    def ready(self) -> bool:
        """Whether it takes jobs."""
        return '"event": "ready"' in self.log.read_text()

    def metric(self, name: str) -> float:
        """One figure of its own metrics."""
        return figure(self.metrics_url, name)

    def kill(self) -> None:
        """As the kernel does when memory runs out."""
        kill(self.process)
        self.process.wait()


@dataclass
class Stack:
    """The running processes, and what was accepted."""

    folder: Path
    valkey: ValkeyServer
    s3: S3Server
    values: dict[str, object]  # settings of API and workers
    url: str
    port: int
    api_net: Proxy  # the API's way to Redis
    storage_net: Proxy  # everyone's way to S3
    store: JobStore  # the tests' own eyes, past all proxies
    nodes: Replicas | None = None  # of which `valkey` is the primary
    api: Process | None = None
    workers: list[Worker] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)  # ids of all jobs that were answered with 202
    auth: dict[str, str] = field(default_factory=dict)  # headers of the client that reads them
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def redis(self) -> Redis:
        return self.store.redis

    # Processes

    def start_api(self, *command: str, wait: bool = True, env: Mapping[str, str] | None = None) -> None:
        """Starts the API; unless `wait` is false, returns when it accepts jobs."""
        command = command or (sys.executable, "-m", "riffusion", "api", "--port", str(self.port))
        with (self.folder / "api.log").open("ab") as output:
            self.api = spawn(command, env=self._env(self.api_net, env), output=output)
        if not wait:
            return
        api = self.api
        wait_until(lambda: api.poll() is not None or self._ready(), STARTS_S, "the API never got ready")
        assert api.poll() is None, (self.folder / "api.log").read_text()

    def stop_api(self) -> None:
        """Ends the API as an operator does."""
        assert self.api is not None
        stop(self.api, grace_s=30)

    def start_worker(
        self, *, wait: bool = True, prefix: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Worker:
        """Starts one more worker; unless `wait` is false, returns when it takes jobs."""
        net = Proxy(self.valkey.port)
        log = self.folder / f"worker{len(self.workers)}.log"
        metrics = free_port()
        env = self._env(net, {"RIFFUSION_WORKER_METRICS_PORT": str(metrics), **(env or {})})
        with log.open("ab") as output:
            process = spawn([*prefix, sys.executable, "-m", "tests.faults.worker"], env=env, output=output)
        worker = Worker(process, net, log, f"http://127.0.0.1:{metrics}/metrics")
        self.workers.append(worker)
        if wait:
            wait_until(lambda: process.poll() is not None or worker.ready, STARTS_S, "the worker never got ready")
            assert process.poll() is None, log.read_text()
        return worker

    def start_redis(self) -> None:
        """Starts Redis again where it was."""
        assert self.valkey.run(*DURABLE)

    def lead_to_primary(self) -> None:
        """After a failover, has the address of Redis lead to the new primary. Open connections stay where they are."""
        assert self.nodes is not None
        self.valkey = self.nodes.primary
        for net in (self.api_net, *(worker.net for worker in self.workers)):
            net.lead_to(self.valkey.port)
        self.store = JobStore.connect(self.store.settings.model_copy(update={"redis_url": self.valkey.url}))

    def close(self) -> None:
        for worker in self.workers:
            worker.net.fair()
            kill(worker.process)
            worker.process.wait()
            worker.net.close()
        if self.api is not None:
            stop(self.api, grace_s=30)
        if self.nodes is None:
            self.valkey.resume()
            self.valkey.kill()
        self.api_net.close()
        self.storage_net.close()
        self.store.redis.close()

    def env(self) -> dict[str, str]:
        """The environment of an operator's command."""
        return self._env(self.api_net, None)

    def _env(self, net: Proxy, more: Mapping[str, str] | None) -> dict[str, str]:
        env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        env |= {f"RIFFUSION_{name.upper()}": str(value) for name, value in self.values.items()}
        env.setdefault("RIFFUSION_REDIS_URL", f"redis://127.0.0.1:{net.port}/0")
        return {**env, **(more or {})}

    def _ready(self) -> bool:
        try:
            return http.get(f"{self.url}/readyz").status_code == HTTPStatus.OK
        except httpx.TransportError:
            return False

    # Jobs, as a client that repeats its requests

    def post(self, prompt: str, key: str | None = None) -> httpx.Response:
        """One POST /jobs, whatever its answer."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex}
        body = {"mode": "text-to-audio", "prompt": prompt}
        response = http.post(f"{self.url}/jobs", json=body, headers=headers)
        if response.status_code == HTTPStatus.ACCEPTED:
            with self._lock:
                self.accepted.append(response.json()["id"])
        return response

    def submit(self, prompt: str = "0", timeout_s: float = 60, key: str | None = None) -> str:
        """The id of an accepted job: sends it with one Idempotency-Key until it is accepted."""
        key, deadline = key or uuid.uuid4().hex, time.monotonic() + timeout_s
        while True:
            try:
                response = self.post(prompt, key)
                if response.status_code not in RETRIED:
                    assert response.status_code == HTTPStatus.ACCEPTED, response.text
                    return str(response.json()["id"])
                problem = response.text
            except httpx.TransportError as error:
                problem = repr(error)
            assert time.monotonic() < deadline, f"no job was accepted: {problem}"
            time.sleep(0.1)

    @contextmanager
    def stream(self, prompt: str, senders: int = 2) -> Iterator[None]:
        """Submits one job after another meanwhile, from so many threads at once."""
        over = threading.Event()

        def send() -> None:
            while not over.wait(0.1):
                self.submit(prompt)

        with ThreadPoolExecutor(senders) as pool:
            sent = [pool.submit(send) for _ in range(senders)]
            try:
                yield
            finally:
                over.set()
        for each in sent:
            each.result()

    def watch(self, job_id: str, seconds: int) -> None:
        """GET /jobs/<id> as soon as it changes."""
        url = f"{self.url}/jobs/{job_id}"
        tag = http.get(url).headers["ETag"]
        http.get(url, headers={"If-None-Match": tag, "Prefer": f"wait={seconds}"})

    def seen(self, job_id: str) -> dict[str, Any]:
        """GET /jobs/<id>."""
        response = http.get(f"{self.url}/jobs/{job_id}", headers=self.auth)
        assert response.status_code == HTTPStatus.OK, response.text
        job: dict[str, Any] = response.json()
        return job

    def cancel(self, job_id: str) -> dict[str, Any]:
        """POST /jobs/<id>/cancel."""
        response = http.post(f"{self.url}/jobs/{job_id}/cancel")
        assert response.status_code == HTTPStatus.OK, response.text
        job: dict[str, Any] = response.json()
        return job

    def metric(self, name: str) -> float:
        """One figure of the API's metrics."""
        return figure(f"{self.url}/metrics", name)

    def get(self, job_id: str) -> JobRecord:
        return self.store.get(job_id)

    def running(self, *ids: str) -> bool:
        """Whether all of these have begun; not yet, where Redis doesn't say."""
        return self._all(ids, lambda record: bool(record.total))

    def ended(self, *ids: str) -> bool:
        """Whether all of these have; not yet, where Redis doesn't say."""
        return self._all(ids, lambda record: record.status.terminal)

    def _all(self, ids: Iterable[str], holds: Callable[[JobRecord], bool]) -> bool:
        try:
            return all(holds(self.get(job_id)) for job_id in ids)
        except StoreUnavailable:
            return False

    def wait_running(self, *ids: str, timeout: float = 30) -> None:
        wait_until(lambda: self.running(*ids), timeout, "the jobs never began")

    def wait_ended(self, *ids: str, timeout: float = 60) -> None:
        wait_until(lambda: self.ended(*ids), timeout, "the jobs never ended")

    # What there is

    def objects(self) -> set[str]:
        """The files in the bucket, but for those of erasures.

        Its folders may go away meanwhile, which os.walk bears and Path.rglob does not.
        """
        bucket = self.s3.folder / self.s3.bucket
        found = {
            str((Path(folder) / name).relative_to(bucket)) for folder, _, names in os.walk(bucket) for name in names
        }
        return {key for key in found if not key.startswith(ERASURES)}

    def listed(self) -> set[str]:
        """The same, as the server lists them.

        `rclone serve s3` was seen to keep a file that it no longer lists, where PUT and DELETE of its key overlapped.
        """
        return {key for key in open_storage(self.store.settings).list("") if not key.startswith(ERASURES)}

    def runs(self) -> Counter[str]:
        """How often each job was really run, from its start."""
        journal = self.folder / "data" / JOURNAL
        return Counter(line.split()[0] for line in journal.read_text().splitlines()) if journal.exists() else Counter()


def hang_up(stack: Stack) -> None:
    """Redis closes every connection but the tests' own."""
    for kind in ("normal", "pubsub"):
        stack.redis.client_kill_filter(_type=kind, skipme=True)


def error_response(status: HTTPStatus) -> bytes:
    """A whole HTTP response for a proxy to give."""
    return f"HTTP/1.1 {status} {status.phrase}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def wrong_clock(file: Path) -> dict[str, str]:
    """Environment of processes whose wall clock is as many seconds off as the file says; see clock/."""
    file.write_text("0")
    return {"PYTHONPATH": f"{Path(__file__).parent / 'clock'}:{ROOT}", "CLOCK_FILE": str(file)}


@contextmanager
def running(
    folder: Path, s3: S3Server, prefix: Sequence[str] = (), nodes: Replicas | None = None, /, **settings: object
) -> Iterator[Stack]:
    """A stack with an API and no worker yet.

    Args:
        prefix: comes before the command of Redis.
        nodes: what to use for Redis, instead of one that is started. Where Sentinels watch over them, API and workers
            ask those, and reach Redis through no proxy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    valkey = nodes.primary if nodes else ValkeyServer.start(folder, *DURABLE, prefix=prefix)
    storage_net, port = Proxy(int(s3.endpoint.rpartition(":")[2])), free_port()
    values: dict[str, object] = {
        **QUICK,
        "data_dir": folder / "data",
        "public_url": f"http://127.0.0.1:{port}",
        "storage": "s3",
        "s3_endpoint": f"http://127.0.0.1:{storage_net.port}",
        "s3_public_endpoint": s3.endpoint,
        "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key,
        "s3_secret_key": s3.secret_key,
        **settings,
    }
    if isinstance(nodes, Watched):
        values["redis_url"] = nodes.url
    assert values.keys() <= Settings.model_fields.keys()
    stack = Stack(
        folder, valkey, s3, values, f"http://127.0.0.1:{port}", port, Proxy(valkey.port), storage_net,
        JobStore.connect(Settings.model_validate({"redis_url": valkey.url, **values})), nodes,
    )  # fmt: skip
    try:
        stack.start_api()
        yield stack
    finally:
        stack.close()
