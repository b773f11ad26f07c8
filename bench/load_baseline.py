"""The baseline of bench/load.py: Flask and Redis with a durable SET for a submit and a HGETALL for a poll."""

import os
import uuid
from typing import Any

from flask import Flask, request
from redis import Redis

redis: Any = Redis.from_url(os.environ["RIFFUSION_REDIS_URL"])  # typed as if it could be asynchronous

app = Flask("baseline")


@app.post("/jobs")
def submit() -> tuple[dict[str, str], int]:
    """Stores a request."""
    job_id = uuid.uuid4().hex
    redis.set(f"baseline:{job_id}", request.get_data())
    return {"id": job_id}, 202


@app.get("/jobs/<job_id>")
def job(job_id: str) -> dict[str, str]:
    """The fields of a job's hash."""
    return {name.decode(): value.decode() for name, value in redis.hgetall(f"job:{job_id}").items()}
