"""gunicorn's configuration for the API in one process, with a view that uses processor time."""

import time

from flask import Flask

from api.gunicorn_conf import *  # noqa: F403 -- gunicorn takes what the module holds

wsgi_app = "tests.hostile.busy_view_conf:create()"
workers = 1


def create() -> Flask:
    """The API, and `/burn/<ms>`."""
    from api.app import create_app

    app = create_app()
    app.add_url_rule("/burn/<int:ms>", view_func=burn, methods=["GET", "POST"])
    return app


def burn(ms: int) -> str:
    """Uses so many milliseconds of processor time."""
    ends = time.thread_time() + ms / 1000
    while time.thread_time() < ends:
        pass
    return "burnt"
