"""What the operators' views share, made by the app factory."""

from dataclasses import dataclass

from riffusion.jobs.audit import AuditLog
from riffusion.jobs.clients import ClientDirectory
from riffusion.jobs.job_actions import JobActions
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.moderation import Moderation
from riffusion.jobs.overview import ServiceMonitor
from riffusion.jobs.search import JobSearch
from riffusion.jobs.store import JobStore


@dataclass(frozen=True)
class OperatorTools:
    """The stores of one app that only operators use."""

    monitor: ServiceMonitor
    search: JobSearch
    jobs: JobActions
    models: ModelControl
    clients: ClientDirectory
    moderation: Moderation
    audit: AuditLog

    @classmethod
    def beside(cls, store: JobStore) -> "OperatorTools":
        """On the Redis of a job store."""
        redis, settings = store.redis, store.settings
        return cls(
            ServiceMonitor(redis, settings),
            JobSearch(redis, settings),
            JobActions(redis, settings),
            ModelControl(redis, settings),
            ClientDirectory(redis, settings),
            Moderation(redis, settings),
            AuditLog(redis, settings),
        )
