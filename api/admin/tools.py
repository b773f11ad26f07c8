"""What the operators' views share, made by the app factory."""

from dataclasses import dataclass

from redis import Redis

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.job_actions import JobActions
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.overview import ServiceMonitor
from riffusion.jobs.search import JobSearch
from riffusion.settings import Settings


@dataclass(frozen=True)
class OperatorTools:
    """The stores of one app that only operators use."""

    monitor: ServiceMonitor
    search: JobSearch
    jobs: JobActions
    models: ModelControl
    clients: ClientDirectory
    audit: AuditLog

    @classmethod
    def on(cls, redis: Redis, settings: Settings) -> "OperatorTools":
        """On one Redis."""
        return cls(
            ServiceMonitor(redis, settings),
            JobSearch(redis, settings),
            JobActions(redis, settings),
            ModelControl(redis, settings),
            ClientDirectory(redis, settings),
            AuditLog(redis, settings),
        )
