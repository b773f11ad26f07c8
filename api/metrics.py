"""Prometheus metrics of the API, summed over its processes, and of all jobs, read from Redis at each scrape."""

import os
from functools import cache

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from api.request_log import elapsed_s
from api.statistics_collector import StatisticsCollector
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
        for method in ("GET", "POST"):
            self.shed.labels(method)  # 0 until it occurs, so that the first one is an increase
        self.seconds = Histogram(
            "riffusion_http_request_seconds",
            "Time until the response began, of requests that were not held.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.redis_write_seconds = Histogram(
            "riffusion_redis_write_seconds",
            "Time of a script that writes, with its sync to Redis's disk, once a second.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.held = Gauge(
            "riffusion_http_held_requests",
            "Requests held open now: long-polls, event streams, and those that wait for a clip.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def count_shed(self, method: str) -> None:
        """One request was refused before it reached the application."""
        self.shed.labels(known_method(method) or "other").inc()

    def text(self, store: JobStore) -> bytes:
        """Everything in the Prometheus text format."""
        registry = self.registry
        if MULTIPROCESS_DIR in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        shared = CollectorRegistry()
        shared.register(StatisticsCollector(store))
        return generate_latest(registry) + generate_latest(shared)


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
        method = known_method(request.method) or "other"
        counter(method, route, response.status_code).inc()
        if "held" not in g:
            seconds(method, route).observe(elapsed_s())
        return response


def known_method(method: str) -> str | None:
    """The method, if it is one of the API's; clients can send any, and each would be a time series forever."""
    return method if method in _METHODS else None
