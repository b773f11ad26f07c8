"""The API, which dies with all its processes between accepting a job and waking up a worker."""

import os
import signal
from unittest.mock import patch

from flask import Flask

from api.app import create_app
from riffusion.jobs.wakeup import WakeUps


def _die(*_: object) -> bool:
    os.killpg(0, signal.SIGKILL)
    return False


def create() -> Flask:
    """For gunicorn."""
    app = create_app()
    patch.object(WakeUps, "publish", _die).start()
    return app
