"""The baseline of bench/job_queue.py: Flask and Celery with a task that does nothing, and its state over HTTP.

Celery's own defaults, its result backend on the same Redis, and threads as our worker has them.
"""

import os
from typing import Any

from celery import Celery
from flask import Flask, request

URL = os.environ["RIFFUSION_REDIS_URL"]

tasks = Celery("baseline", broker=URL, backend=URL)
tasks.conf.update(task_default_queue="baseline", worker_hijack_root_logger=False)


def _nothing(_request: dict[str, Any]) -> str:
    return "sound"


nothing = tasks.task(name="baseline.nothing")(_nothing)

app = Flask("baseline")


@app.post("/jobs")
def submit() -> tuple[dict[str, Any], int]:
    """Queues a task."""
    return {"id": nothing.delay(request.get_json()).id}, 202


@app.get("/jobs/<task_id>")
def state(task_id: str) -> dict[str, Any]:
    """Its state, in the form of our API."""
    found = tasks.AsyncResult(task_id)
    if not found.successful():
        return {"id": task_id, "status": "queued"}
    return {"id": task_id, "status": "succeeded", "completed_at": found.date_done.isoformat()}
