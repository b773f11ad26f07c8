"""Prometheus metrics of the API, summed over its processes, and of the queues, read at each scrape."""

import os
from collections.abc import Iterator
from dataclasses import astuple
from functools import cache

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.request_log import elapsed_s
from riffusion.errors import StoreUnavailable
from riffusion.jobs.statistics import read_statistics
from riffusion.jobs.store import JobStore

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "POST"})
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Metrics:
    """The counters of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "riffusion_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.shed = Counter(
            "riffusion_http_shed_requests",
            "Requests refused because the process was overloaded; not among those answered.",
            ("method",),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "riffusion_http_request_seconds",
            "Time until the response began, of requests that were not held.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.held = Gauge(
            "riffusion_http_held_requests",
            "Long-polls and event streams held open now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def count_shed(self, method: str) -> None:
        """One request was refused before it reached the application."""
        self.shed.labels(_known(method)).inc()

    def text(self, store: JobStore) -> bytes:
        """Everything in the Prometheus text format."""
        registry = self.registry
        if MULTIPROCESS_DIR in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        queues = CollectorRegistry()
        queues.register(_Queues(store))
        return generate_latest(registry) + generate_latest(queues)


def mark_held() -> None:
    """Excludes the current request from the latencies: it takes as long as its client asked for."""
    g.held = True


def register(app: Flask, metrics: Metrics) -> None:
    """Counts every request of `app`."""
    counter, seconds = (
        cache(metrics.requests.labels),
        cache(metrics.seconds.labels),
    )  # cached: a lookup is slower than counting

    @app.after_request
    def _count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unmatched"
        method = _known(request.method)
        counter(method, route, response.status_code).inc()
        if "held" not in g:
            seconds(method, route).observe(elapsed_s())
        return response


def _known(method: str) -> str:
    """The method, or `other`: clients can send any, and each value would be a time series forever."""
    return method if method in _METHODS else "other"


class _Queues(Collector):
    """Depth and workers of each model's queue in Redis, at the time of the scrape."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("riffusion_redis_up", "Whether Redis responded.")
        gauges = [
            GaugeMetricFamily(f"riffusion_{name}", text, labels=["model"])
            for name, text in (
                ("workers", "Workers alive."),
                ("worker_slots", "Jobs those workers hold at once."),
                ("waiting_jobs", "Jobs that wait."),
                ("running_jobs", "Jobs that workers hold."),
                ("waiting_work_seconds", "Time that one worker would take for all jobs that wait."),
            )
        ]
        try:
            models = read_statistics(self._store.redis, self._store.settings).models
        except StoreUnavailable as error:
            structlog.get_logger().warning("metrics without queues", reason=str(error))
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        for name, model in models.items():
            for gauge, value in zip(gauges, astuple(model), strict=True):
                gauge.add_metric([name], value)
        yield from (up, *gauges)
