"""The objects that all views of a process share, made by the app factory."""

from dataclasses import dataclass

from flask import current_app

from api.admin.tools import OperatorTools
from api.client_slots import ClientSlots
from api.held_requests import HeldRequests, JobWatcher
from api.metrics import Metrics
from api.representation import Presenter
from api.upload_limits import UploadLimiter
from riffusion.jobs.batches import BatchStore
from riffusion.jobs.events import EventHub
from riffusion.jobs.gallery import GalleryStore
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.reports import ReportStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings
from riffusion.storage import Storage

EXTENSION = "riffusion"


@dataclass(frozen=True)
class Services:
    """The stores, limits and helpers of one app."""

    settings: Settings
    store: JobStore
    batches: BatchStore
    keys: KeyStore
    uploads: UploadStore
    files: Storage
    shares: ShareStore
    gallery: GalleryStore
    reports: ReportStore
    hub: EventHub
    wakeups: WakeUps
    held: HeldRequests
    watcher: JobWatcher
    presenter: Presenter
    metrics: Metrics
    upload_limiter: UploadLimiter
    inline_clips: ClientSlots
    """Responses that hold a whole clip in memory until their client has read it."""
    operator: OperatorTools


def services() -> Services:
    """The services of the app that serves the current request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Services)  # noqa: S101 - narrows the type; only create_app puts it there
    return found
