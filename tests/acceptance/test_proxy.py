"""The service behind nginx, as deploy/nginx.conf has it, with names and ports of the test's own."""

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile

from riffusion.testing import save_tiny_checkpoint
from tests.acceptance.conftest import Stack, start
from tests.conftest import S3Server, ValkeyServer, wait_until
from tests.nginx import Nginx, needs_nginx

ASKED = {"mode": "text-to-audio", "prompt": "chords", "steps": 3}

pytestmark = needs_nginx


@dataclass
class Front:
    """The public addresses (the site, its files, the site without TLS) and the stack behind them."""

    site: str
    files: str
    plain: str
    client: httpx.Client
    stack: Stack


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Front]:
    folder, model = tmp_path_factory.mktemp("proxy"), save_tiny_checkpoint(tmp_path_factory.mktemp("model"))
    valkey, s3, nginx = ValkeyServer.start(folder), rclone_server.with_bucket(), Nginx.prepare(folder)
    site, files = f"https://{nginx.site}", f"https://{nginx.files}"
    behind = {"public_url": site, "s3_public_endpoint": files, "trusted_proxies": 1}
    with (
        start(folder, valkey, s3, checkpoint=model, device="cpu", **behind) as stack,
        nginx.serving(urlsplit(stack.url).netloc, urlsplit(s3.endpoint).netloc) as client,
    ):
        yield Front(site, files, f"http://{nginx.plain}", client, stack)
    valkey.kill()


def test_a_job_is_followed_live_and_its_clip_fetched_by_the_page(front: Front) -> None:
    job = front.client.post("/jobs", json=ASKED).raise_for_status().json()
    seen = []
    with front.client.stream("GET", f"/jobs/{job['id']}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))
                if len(seen) == 1:  # the stream isn't buffered, or this would never be reached
                    assert seen[0]["status"] == "queued"
                    front.stack.start_worker()
    assert seen[-1]["status"] == "succeeded"
    for kind in ("image", "audio"):
        url = seen[-1]["result"][kind]["url"]
        assert url.startswith(f"{front.files}/")
        response = front.client.get(url, headers={"Origin": front.site}).raise_for_status()
        assert response.headers.get_list("Access-Control-Allow-Origin") == [front.site]
        refused = front.client.put(url, content=b"mine")
        assert refused.status_code == HTTPStatus.FORBIDDEN
        assert "nginx" in refused.text  # the storage wasn't asked


def test_the_client_is_the_one_that_nginx_saw(front: Front) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7"}
    response = front.client.post("/jobs", json=ASKED, headers=forged).raise_for_status()
    request_id = response.headers["X-Request-Id"]
    log = front.stack.folder / "api.log"

    def logged() -> list[Any]:
        lines = log.read_text().splitlines()
        return [json.loads(line) for line in lines if request_id in line and '"event": "request"' in line]

    wait_until(lambda: bool(logged()), 5, "the request was never logged")  # the line is written after the response
    assert [line["client"] for line in logged()] == ["address:127.0.0.1"]
    assert front.client.post(f"/jobs/{response.json()['id']}/cancel").is_success


def test_uploads_pass(front: Front) -> None:
    sound = io.BytesIO()
    soundfile.write(sound, np.random.default_rng(0).normal(0, 0.1, (44_100 * 20, 2)), 44_100, format="WAV")
    assert front.client.post("/uploads", files={"file": sound.getvalue()}).status_code == HTTPStatus.CREATED


def test_operator_endpoints_are_blocked(front: Front) -> None:
    for path in ("/metrics", "/metrics/", "/readyz"):
        assert front.client.get(path).status_code == HTTPStatus.NOT_FOUND
    moved = front.client.get(f"{front.plain}/jobs?limit=2")
    assert moved.status_code == HTTPStatus.PERMANENT_REDIRECT
    assert moved.headers["Location"] == "https://127.0.0.1/jobs?limit=2"
