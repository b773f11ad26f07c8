"""gunicorn's configuration for the API, with timeouts of seconds instead of minutes."""

from functools import partial

import api.gunicorn_worker
from api.gunicorn_conf import *  # noqa: F403 -- gunicorn takes what the module holds
from api.min_rate_reader import MinRateReader

api.gunicorn_worker.MinRateReader = partial(MinRateReader, grace_s=1.0, min_rate=1e6)  # type: ignore[attr-defined, assignment]
api.gunicorn_worker.STALL_S = 1.0
