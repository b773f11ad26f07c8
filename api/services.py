"""What the views work with: one of each for the whole process, made by the app factory."""

from dataclasses import dataclass

from flask import current_app

from api.held_requests import HeldRequests, Watch
from api.metrics import Metrics
from api.representation import Presenter
from api.upload_limits import Intake
from riffusion.jobs.events import EventHub
from riffusion.jobs.files import Files
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.uploads import UploadStore
from riffusion.jobs.wakeup import WakeUps
from riffusion.settings import Settings

EXTENSION = "riffusion"


@dataclass(frozen=True)
class Services:
    """Everything a view may need."""

    settings: Settings
    store: JobStore
    keys: KeyStore
    uploads: UploadStore
    files: Files
    shares: ShareStore
    hub: EventHub
    wakeups: WakeUps
    held: HeldRequests
    watch: Watch
    presenter: Presenter
    metrics: Metrics
    intake: Intake


def services() -> Services:
    """Those of the app that serves the request in hand."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Services)  # noqa: S101 - narrows the type; only create_app puts it there
    return found
