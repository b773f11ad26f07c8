"""Metrics: requests, latencies, held requests, queues."""

import httpx

from api.services import Services
from tests.api.conftest import Client, LiveServer, Worker, submit
from tests.conftest import ValkeyServer


def test_requests_are_counted_by_route_and_status(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    client.get(path)
    client.get("/elsewhere")
    client.open("/jobs", method="BREW")
    text = client.get("/metrics").text
    for line in (
        'riffusion_http_requests_total{method="GET",route="/jobs/<job_id>",status="200"} 1.0',
        'riffusion_http_requests_total{method="POST",route="/jobs",status="202"} 1.0',
        'riffusion_http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'riffusion_http_requests_total{method="other",route="unmatched",status="405"} 1.0',
        'riffusion_http_request_seconds_count{method="GET",route="/jobs/<job_id>"} 1.0',
    ):
        assert line in text.splitlines()


def test_held_requests_are_counted_and_kept_out_of_the_latencies(client: Client, services: Services) -> None:
    path = f"/jobs/{submit(client)['id']}"
    with client.get(f"{path}/events", buffered=False):
        assert "riffusion_http_held_requests 1.0" in client.get("/metrics").text
    text = client.get("/metrics").text
    assert "riffusion_http_held_requests 0.0" in text
    assert 'route="/jobs/<job_id>/events",status="200"} 1.0' in text
    assert 'seconds_count{method="GET",route="/jobs/<job_id>/events"' not in text


def test_queues_are_measured_by_model(client: Client, worker: Worker) -> None:
    submit(client)
    submit(client)
    worker.claim()
    lines = client.get("/metrics").text.splitlines()
    for name, value in (("waiting_jobs", 1), ("running_jobs", 1), ("workers", 1), ("worker_slots", 4)):
        assert f'riffusion_{name}{{model="tiny"}} {value}.0' in lines


def test_without_redis_the_other_metrics_remain(client: Client, valkey: ValkeyServer) -> None:
    valkey.pause()
    try:
        text = client.get("/metrics").text
    finally:
        valkey.resume()
    assert "riffusion_redis_up 0.0" in text
    assert "riffusion_waiting_jobs" not in text


def test_processes_are_summed(live: LiveServer) -> None:
    def seen() -> float:
        lines = httpx.get(f"{live.url}/metrics").text.splitlines()
        wanted = 'riffusion_http_requests_total{method="GET",route="/healthz",status="200"} '
        return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))

    before = seen()
    for _ in range(8 * LiveServer.WORKERS):  # each on a connection of its own, so that every process gets some
        httpx.get(f"{live.url}/healthz")
    assert seen() - before == 8 * LiveServer.WORKERS
