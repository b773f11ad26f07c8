"""The least that Flask and Celery can do, for bench/job_queue.py: a task that does nothing, and its state over HTTP.

Celery's own defaults, its result backend on the same Redis, and threads as our worker has them.
"""

import os
from typing import Any

from celery import Celery
from flask import Flask, request

URL = os.environ["RIFFUSION_REDIS_URL"]

tasks = Celery("bare", broker=URL, backend=URL)
tasks.conf.update(task_default_queue="bare", worker_hijack_root_logger=False)


def _nothing(_request: dict[str, Any]) -> str:
    return "sound"


nothing = tasks.task(name="bare.nothing")(_nothing)

app = Flask("bare")


@app.post("/jobs")
def submit() -> tuple[dict[str, Any], int]:
    """Queues a task."""
    return {"id": nothing.delay(request.get_json()).id}, 202


@app.get("/jobs/<task_id>")
def state(task_id: str) -> dict[str, Any]:
    """Where it is, in the words of our API."""
    found = tasks.AsyncResult(task_id)
    if not found.successful():
        return {"id": task_id, "status": "queued"}
    return {"id": task_id, "status": "succeeded", "completed_at": found.date_done.isoformat()}
