"""Each alert on a stack that has what it is about, and silence on one that has recovered."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from riffusion.jobs.acceptance import Submission
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED, key_tenant
from riffusion.requests.modes.text_to_audio import TextToAudio
from tests.conftest import free_port, wait_until
from tests.faults.stack import error_response, http
from tests.jobs.conftest import by
from tests.monitoring.conftest import Watched
from tests.monitoring.prometheus import PROMTOOL, alerts, needs_prometheus, quick
from tests.monitoring.test_rules import expressions, panels

pytestmark = needs_prometheus

SELECTOR = re.compile(r"\b(?:riffusion_\w+|up)\b(?:\{[^}]*\})?")
# Where a healthy stack has nothing to show.
NOTHING = {
    'riffusion_http_requests_total{status=~"503|507"}': "no request was refused",
    'riffusion_http_requests_total{status=~"5..", status!~"503|507"}': "no request failed",
}


@pytest.fixture
def healthy(watched: Watched) -> Iterator[Watched]:
    """The stack, healthy before the test and after it."""
    watched.wait_silent()
    yield watched
    watched.recover()
    watched.stack.wait_ended(watched.stack.submit("0"))
    watched.wait_silent()


@pytest.fixture
def busy(healthy: Watched) -> Watched:
    """After some load."""
    stack = healthy.stack
    stack.wait_ended(*[stack.submit("0.2") for _ in range(6)])
    rate = quick("rate(riffusion_worker_job_seconds_count[5m])")  # needs two scrapes
    wait_until(lambda: healthy.prometheus.query(rate), 30)
    return healthy


def test_every_selector_and_every_panel_shows_something(busy: Watched) -> None:
    found = {text for expression in expressions() for text in SELECTOR.findall(expression)}
    empty = {text for text in found if not busy.prometheus.query(text)}
    assert empty <= set(NOTHING)
    empty_panels = {
        (panel["title"], target["expr"])
        for panel in panels()
        for target in panel["targets"]
        if not busy.prometheus.query(quick(target["expr"]))
    }
    assert empty_panels == set()


def test_each_alert_is_tried_here() -> None:
    assert {rule["alert"] for rule in alerts()} == set(re.findall(r'"(Riffusion\w+)"', Path(__file__).read_text()))


def test_promtool_finds_nothing_to_complain_about(busy: Watched) -> None:
    for url in (f"{busy.stack.url}/metrics", busy.worker.metrics_url):
        ours = [line for line in http.get(url).text.splitlines() if "riffusion_" in line]
        ran = subprocess.run(
            [str(PROMTOOL), "check", "metrics"],
            input="\n".join(ours) + "\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_a_worker_that_is_stopped(healthy: Watched) -> None:
    stack = healthy.stack
    healthy.worker.process.send_signal(signal.SIGSTOP)
    job = stack.submit("0")
    healthy.wait_firing("RiffusionWorkerDown", "RiffusionNoWorkers")
    assert "RiffusionWaitTooLong" not in healthy.prometheus.firing()
    stack.redis.zincrby("queued:tiny", -400, job)
    healthy.wait_firing("RiffusionWaitTooLong")
    healthy.worker.process.send_signal(signal.SIGCONT)
    stack.wait_ended(job)


def test_jobs_that_fail(healthy: Watched) -> None:
    healthy.stack.wait_ended(*[healthy.stack.submit("break") for _ in range(5)])
    healthy.wait_firing("RiffusionJobsFail")


def test_a_storage_that_fails(healthy: Watched) -> None:
    stack = healthy.stack
    job = stack.submit("refuse")  # the files of an attempt that failed are deleted soon
    stack.wait_ended(job)
    stack.storage_net.refuse(error_response(HTTPStatus.INTERNAL_SERVER_ERROR))
    blocked = stack.submit("0")
    healthy.wait_firing("RiffusionStorageFailing")
    wait_until(lambda: stack.redis.zscore("sweeping", f"job:{job}"), message="nothing is swept")
    stack.redis.zincrby("sweeping", -4000, f"job:{job}")
    healthy.wait_firing("RiffusionSweepBehind")
    stack.storage_net.fair()
    stack.wait_ended(blocked)
    stack.redis.zadd("sweep_at", {f"job:{job}": time.time()})  # another try now, not in a minute


def test_a_storage_that_is_nearly_full(healthy: Watched) -> None:
    healthy.stack.redis.hincrby("kept:all", "stored_bytes", 95 << 30)
    try:
        healthy.wait_firing("RiffusionStorageFull")
    finally:
        healthy.stack.redis.hincrby("kept:all", "stored_bytes", -95 << 30)


def test_a_redis_without_memory(healthy: Watched) -> None:
    redis = healthy.stack.redis
    redis.setrange("filler", 64 << 20, "x")  # so that a few connections more change nothing
    used = redis.info("memory")["used_memory"]  # type: ignore[index]  # not the asynchronous one
    redis.config_set("maxmemory", int(used / 0.9 * 1.05))
    healthy.wait_firing("RiffusionRedisMemory")
    redis.config_set("maxmemory", int(used / 0.9 * 0.98))
    healthy.wait_firing("RiffusionRedisFull")
    assert "RiffusionRedisRefusesWrites" not in healthy.prometheus.firing()
    redis.config_set("maxmemory", "1mb")

    def refused() -> None:
        assert healthy.stack.post("0").status_code == HTTPStatus.SERVICE_UNAVAILABLE

    healthy.wait_firing("RiffusionRedisRefusesWrites", "RiffusionRefusals", meanwhile=refused)
    redis.delete("filler")


def test_a_redis_that_is_slow(healthy: Watched) -> None:
    healthy.stack.api_net.delay(0.1)
    healthy.wait_firing("RiffusionRedisSlow")


def test_a_redis_that_is_stopped(healthy: Watched) -> None:
    healthy.stack.valkey.pause()
    healthy.wait_firing("RiffusionRedisDown")


def test_a_redis_that_takes_no_writes_keeps_webhooks_waiting(healthy: Watched) -> None:
    redis, job = healthy.stack.redis, healthy.stack.submit("0")
    healthy.stack.wait_ended(job)
    with redis.pipeline() as both:
        both.zadd("webhooks", {job: time.time() - 100})
        both.config_set("min-replicas-to-write", 1)
        both.execute()
    healthy.wait_firing("RiffusionWebhooksBehind", "RiffusionRedisRefusesWrites")


@contextmanager
def hanging_receiver() -> Iterator[str]:
    """Takes connections and never responds."""
    with socket.create_server(("127.0.0.1", free_port()), backlog=2000) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def test_a_receiver_of_webhooks_that_hangs(healthy: Watched) -> None:
    store = healthy.stack.store
    tenant = by(key_tenant(KeyStore(store.redis, store.settings).create("mine", UNLIMITED)[1].id))
    with hanging_receiver() as url:
        requests = [TextToAudio(prompt="600", webhook=url) for _ in range(20)]
        ids: list[str] = []
        while len(ids) <= 1000:
            ids += [record.id for record in store.accept([Submission(each, tenant) for each in requests]).records]
            for job_id in ids[-len(requests) :]:
                store.cancel(job_id)
        try:
            healthy.wait_firing("RiffusionWebhooksPending")
        finally:
            for job_id in ids:
                store.delete(job_id)


def test_errors_of_the_server(healthy: Watched) -> None:
    stack, job = healthy.stack, healthy.stack.submit("0")
    stack.wait_ended(job)
    stack.redis.hset(f"job:{job}", "status", "broken")

    def fails() -> None:
        assert http.get(f"{stack.url}/jobs/{job}").status_code == HTTPStatus.INTERNAL_SERVER_ERROR

    try:
        healthy.wait_firing("RiffusionErrors", meanwhile=fails)
    finally:
        stack.redis.hset(f"job:{job}", "status", "succeeded")


def test_an_api_that_is_gone(healthy: Watched) -> None:
    healthy.stack.stop_api()
    try:
        healthy.wait_firing("RiffusionApiDown")
        with pytest.raises(httpx.TransportError):
            http.get(healthy.stack.url)
    finally:
        healthy.stack.start_api()
