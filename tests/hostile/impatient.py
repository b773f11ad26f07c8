"""How gunicorn serves the API, with patience for seconds instead of minutes."""

from functools import partial

import api.server
from api.gunicorn_conf import *  # noqa: F403 -- gunicorn takes what the module holds

api.server.PacedReader = partial(api.server.PacedReader, grace_s=1.0, pace=1e6)  # type: ignore[misc, assignment]
api.server.STALL_S = 1.0
