"""Prometheus metrics of all jobs together, which every API process reads from the same Redis at each scrape."""

from collections.abc import Callable, Iterator

import structlog
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from riffusion.errors import (
    BrokenPicture,
    BrokenSound,
    DeadlineExceeded,
    InaudibleSound,
    OutOfMemory,
    RiffusionError,
    StorageFull,
    StoreUnavailable,
    WorkerLost,
)
from riffusion.jobs.models import ModelState
from riffusion.jobs.statistics import End, ModelStatistics, Statistics, read_statistics
from riffusion.jobs.store import JobStore

_OF_MODELS: tuple[tuple[str, str, Callable[[ModelStatistics], float]], ...] = (
    ("workers", "Workers alive.", lambda model: model.workers),
    ("worker_slots", "Jobs those workers hold at once.", lambda model: model.slots),
    ("waiting_jobs", "Jobs that wait.", lambda model: model.waiting),
    ("batch_requests_held", "Requests of batches that aren't jobs yet.", lambda model: model.held),
    ("running_jobs", "Jobs that workers hold.", lambda model: model.running),
    ("waiting_work_seconds", "Time that one worker would take for all jobs that wait.", lambda m: m.waiting_work_s),
    ("oldest_waiting_job_seconds", "Time that the job waiting longest has waited.", lambda m: m.oldest_waiting_s),
    ("model_paused", "Whether the operator has paused the model.", lambda m: m.state is ModelState.PAUSED),
)
_OF_ALL: tuple[tuple[str, str, Callable[[Statistics], float]], ...] = (
    ("webhooks_pending", "Webhooks neither delivered nor failed for good.", lambda all_: all_.webhooks_pending),
    ("webhooks_overdue_seconds", "Time since a try was due that no process took up.", lambda a: a.webhooks_overdue_s),
    ("expired_entries", "Jobs and uploads whose expired files aren't deleted yet.", lambda a: a.expired_entries),
    ("expired_oldest_seconds", "Time for which the oldest of those has been due.", lambda a: a.expired_oldest_s),
    ("reported_clips", "Published clips with reports not dealt with.", lambda all_: all_.reported_clips),
    ("stored_bytes", "Bytes of all results and uploads.", lambda all_: all_.stored_bytes),
    ("redis_memory_bytes", "Memory that Redis uses.", lambda all_: all_.memory_bytes),
)
_FAILURES = (
    RiffusionError, BrokenPicture, BrokenSound, DeadlineExceeded, InaudibleSound, OutOfMemory, StorageFull, WorkerLost
)  # fmt: skip
# Counted as 0 until they occur: otherwise the first one wouldn't be seen as an increase.
_ENDS = (
    ("succeeded", "made"), ("succeeded", "copied"), ("canceled", "requested"),
    *(("failed", error.code) for error in _FAILURES),
)  # fmt: skip


class StatisticsCollector(Collector):
    """The statistics at the time of the scrape. Without Redis, only that it doesn't respond."""

    def __init__(self, store: JobStore) -> None:
        self._store = store

    def collect(self) -> Iterator[Metric]:
        """The metrics; made of one script and one check."""
        try:
            statistics = read_statistics(self._store.redis, self._store.settings)
        except StoreUnavailable as error:
            structlog.get_logger().warning("metrics without queues", reason=str(error))
            yield _gauge("redis_up", "Whether Redis responded.", 0)
            return
        yield _gauge("redis_up", "Whether Redis responded.", 1)
        yield _gauge("redis_writable", "Whether Redis accepts writes.", self._is_writable())
        for name, text, value_of in _OF_ALL:
            yield _gauge(name, text, value_of(statistics))
        if statistics.max_memory_bytes:
            text = "Memory until Redis takes no new jobs; at nine tenths of maxmemory."
            yield _gauge("redis_memory_left_bytes", text, statistics.max_memory_bytes - statistics.memory_bytes)
        if self._store.settings.max_stored_bytes:
            text = "Bytes until the service takes no new jobs and uploads."
            yield _gauge("storage_left_bytes", text, self._store.settings.max_stored_bytes - statistics.stored_bytes)
        for name, text, value_of_model in _OF_MODELS:
            gauge = GaugeMetricFamily(f"riffusion_{name}", text, labels=["model"])
            for model, values in statistics.models.items():
                gauge.add_metric([model], value_of_model(values))
            yield gauge
        ended = CounterMetricFamily("riffusion_jobs_ended", "Jobs that ended.", labels=["model", "status", "reason"])
        never = {End(*end, model): 0 for model in statistics.models for end in _ENDS}
        for end, count in {**never, **statistics.ended}.items():
            ended.add_metric([end.model, end.status, end.reason], count)
        yield ended

    def _is_writable(self) -> bool:
        try:
            self._store.check()
        except StoreUnavailable:
            return False
        return True


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"riffusion_{name}", text, value=value)
