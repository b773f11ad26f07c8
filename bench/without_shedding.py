"""How gunicorn serves the API, without shedding load: what a request costs shows where every one is served."""

from typing import Any

import api.gunicorn_conf
from api.gunicorn_conf import *  # noqa: F403 -- gunicorn takes what the module holds


def post_worker_init(worker: Any) -> None:  # type: ignore[no-redef]
    """In each process."""
    api.gunicorn_conf.post_worker_init(worker)
    worker.shedding = None
