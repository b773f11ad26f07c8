"""A worker's Prometheus metrics, on a port of its own if the settings name one."""

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from riffusion.settings import Settings

SLOTS = Gauge("riffusion_worker_slots", "Jobs this worker holds at once.")
RUNNING = Gauge("riffusion_worker_jobs_running", "Jobs this worker holds now.")
HUNG = Gauge("riffusion_worker_slots_hung", "Slots whose thread should have stopped and hasn't.")
ENDED = Counter("riffusion_worker_jobs", "Attempts that have ended.", ["mode", "outcome"])
SECONDS = Histogram(
    "riffusion_worker_job_seconds",
    "From claim to stored result, of attempts that succeeded.",
    ["mode"],
    buckets=(0.5, 1, 2, 5, 10, 20, 40, 80, 160, 320, 640),
)


def serve(settings: Settings) -> None:
    """Starts the thread that serves the metrics, if the settings name a port."""
    SLOTS.set(settings.slots)
    if settings.worker_metrics_port is not None:
        start_http_server(settings.worker_metrics_port, settings.worker_metrics_host)
