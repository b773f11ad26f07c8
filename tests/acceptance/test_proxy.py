"""The service behind nginx, as deploy/nginx.conf has it, with names and ports of the test's own."""

import io
import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
import soundfile

from riffusion.embedded.child import spawn, stop
from riffusion.testing import save_tiny_checkpoint
from tests.acceptance.conftest import Stack, ready, start
from tests.conftest import S3Server, ValkeyServer, free_port, wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")  # Debian's, which is on root's path alone
OPENSSL = shutil.which("openssl")
SITE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
ASKED = {"mode": "text-to-audio", "prompt": "chords", "steps": 3}
MAIN = """
daemon off;
{user}
pid nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    include site.conf;
}}
"""

pytestmark = pytest.mark.skipif(
    NGINX is None or OPENSSL is None, reason="nginx or openssl is missing; `apt-get install nginx openssl`"
)


@dataclass
class Front:
    """What visitors reach: the site, its files, and the site without TLS; and the stack behind it."""

    site: str
    files: str
    plain: str
    client: httpx.Client
    stack: Stack


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Front]:
    folder, model = tmp_path_factory.mktemp("proxy"), save_tiny_checkpoint(tmp_path_factory.mktemp("model"))
    valkey, s3 = ValkeyServer.start(folder), rclone_server.with_bucket()
    site, files, plain = (f"127.0.0.1:{free_port()}" for _ in range(3))
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    make = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
            "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", str(key), "-out", str(certificate)]  # fmt: skip
    subprocess.run(make, check=True, capture_output=True)
    behind = {"public_url": f"https://{site}", "s3_public_endpoint": f"https://{files}", "trusted_proxies": 1}
    with start(folder, valkey, s3, checkpoint=model, device="cpu", **behind) as stack:
        renamed = {
            "/etc/ssl/music.example.org/fullchain.pem": str(certificate),
            "/etc/ssl/files.example.org/fullchain.pem": str(certificate),
            "/etc/ssl/music.example.org/privkey.pem": str(key),
            "/etc/ssl/files.example.org/privkey.pem": str(key),
            "server 127.0.0.1:8000": f"server {urlsplit(stack.url).netloc}",
            "server 127.0.0.1:8333": f"server {urlsplit(s3.endpoint).netloc}",
            "listen 80": f"listen {plain}",
            "listen 443 ssl http2;\n    server_name music": f"listen {site} ssl http2;\n    server_name music",
            "listen 443 ssl http2;\n    server_name files": f"listen {files} ssl http2;\n    server_name files",
            "https://music.example.org;": f"https://{site};",
        }
        text = SITE.read_text()
        for name, here in renamed.items():
            assert name in text
            text = text.replace(name, here)
        (folder / "site.conf").write_text(text)
        # As root, nginx would give its work to a user who may not look into the tests' folders.
        (folder / "main.conf").write_text(MAIN.format(user="user root;" if os.geteuid() == 0 else ""))
        with (folder / "nginx.log").open("ab") as log:
            nginx = spawn([str(NGINX), "-p", str(folder), "-c", "main.conf", "-e", "stderr"], env={}, output=log)
        trust = ssl.create_default_context(cafile=certificate)
        with httpx.Client(base_url=f"https://{site}", verify=trust, timeout=60) as client:
            try:
                wait_until(
                    lambda: nginx.poll() is not None or ready(client, f"https://{site}"), 20, "nginx doesn't answer"
                )
                assert nginx.poll() is None, (folder / "nginx.log").read_text()
                yield Front(f"https://{site}", f"https://{files}", f"http://{plain}", client, stack)
            finally:
                stop(nginx, grace_s=10)
    valkey.kill()


def test_a_job_is_followed_live_and_its_clip_fetched_by_the_page(front: Front) -> None:
    job = front.client.post("/jobs", json=ASKED).raise_for_status().json()
    seen = []
    with front.client.stream("GET", f"/jobs/{job['id']}/events") as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                seen.append(json.loads(line.removeprefix("data: ")))
                if len(seen) == 1:  # the first came before there was more to say, or this would wait without end
                    assert seen[0]["status"] == "queued"
                    front.stack.start_worker()
    assert seen[-1]["status"] == "succeeded"
    for kind in ("image", "audio"):
        url = seen[-1]["result"][kind]["url"]
        assert url.startswith(f"{front.files}/")
        answer = front.client.get(url, headers={"Origin": front.site}).raise_for_status()
        assert answer.headers.get_list("Access-Control-Allow-Origin") == [front.site]
        refused = front.client.put(url, content=b"mine")
        assert refused.status_code == HTTPStatus.FORBIDDEN
        assert "nginx" in refused.text  # the storage wasn't asked


def test_who_asks_is_what_nginx_saw(front: Front) -> None:
    forged = {"X-Forwarded-For": "198.51.100.7"}
    job = front.client.post("/jobs", json=ASKED, headers=forged).raise_for_status().json()
    assert job["id"] in [each["id"] for each in front.client.get("/jobs").json()["jobs"]]
    assert front.client.post(f"/jobs/{job['id']}/cancel").is_success


def test_uploads_pass(front: Front) -> None:
    sound = io.BytesIO()
    soundfile.write(sound, np.random.default_rng(0).normal(0, 0.1, (44_100 * 20, 2)), 44_100, format="WAV")
    assert front.client.post("/uploads", files={"file": sound.getvalue()}).status_code == HTTPStatus.CREATED


def test_what_is_the_operators_stays_inside(front: Front) -> None:
    assert front.client.get("/metrics").status_code == HTTPStatus.NOT_FOUND
    moved = front.client.get(f"{front.plain}/jobs?limit=2")
    assert moved.status_code == HTTPStatus.PERMANENT_REDIRECT
    assert moved.headers["Location"] == "https://127.0.0.1/jobs?limit=2"
