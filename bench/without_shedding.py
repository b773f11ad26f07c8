"""gunicorn's configuration for the API without load shedding, so that every request is served and its cost measured."""

from typing import Any

import api.gunicorn_conf
from api.gunicorn_conf import *  # noqa: F403 -- gunicorn takes what the module holds


def post_worker_init(worker: Any) -> None:  # type: ignore[no-redef]
    """In each process."""
    api.gunicorn_conf.post_worker_init(worker)
    worker.shedding = None
