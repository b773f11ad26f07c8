"""A worker's Prometheus metrics, with those of `riffusion.diffusion.metrics`, on a port of its own if one is set.

There it also says whether it works.
"""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app, start_http_server

from riffusion.settings import Settings
from worker.health import with_health

MAX_JOBS = Gauge("riffusion_worker_jobs_max", "Jobs this worker holds at once.")
RUNNING = Gauge("riffusion_worker_jobs_running", "Jobs this worker holds now.")
STORAGE_UP = Gauge("riffusion_worker_storage_up", "Whether no storage operation fails or hangs; else it claims no job.")
STORAGE_FAILURES = Counter("riffusion_worker_storage_failures", "Storage operations that failed and were repeated.")
HUNG = Gauge("riffusion_worker_slots_hung", "Slots whose thread should have stopped and hasn't.")
ENDED = Counter("riffusion_worker_jobs", "Attempts that have ended.", ["mode", "outcome"])
SECONDS = Histogram(
    "riffusion_worker_job_seconds",
    "From claim to stored result, of attempts that succeeded.",
    ["mode"],
    buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640),
)


def serve(settings: Settings, alive: Callable[[], bool]) -> None:
    """Starts the thread that serves the metrics and `/healthz`, if the settings name a port.

    Args:
        alive: see with_health.
    """
    MAX_JOBS.set(settings.slots)
    if settings.worker_metrics_port is not None:
        server, _ = start_http_server(settings.worker_metrics_port, settings.worker_metrics_host)
        server.set_app(with_health(make_wsgi_app(), alive))
