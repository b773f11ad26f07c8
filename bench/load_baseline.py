"""The least that Flask and Redis can do, for bench/load.py: a durable SET for a submit, a HGETALL for a poll."""

import os
import uuid
from typing import Any

from flask import Flask, request
from redis import Redis

redis: Any = Redis.from_url(os.environ["RIFFUSION_REDIS_URL"])  # its type can't tell it from the asynchronous one

app = Flask("bare")


@app.post("/jobs")
def submit() -> tuple[dict[str, str], int]:
    """Keeps a request."""
    job_id = uuid.uuid4().hex
    redis.set(f"bare:{job_id}", request.get_data())
    return {"id": job_id}, 202


@app.get("/jobs/<job_id>")
def job(job_id: str) -> dict[str, str]:
    """What a hash holds."""
    return {name.decode(): value.decode() for name, value in redis.hgetall(f"job:{job_id}").items()}
