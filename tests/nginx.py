"""nginx as deploy/nginx.conf has it, with names, ports and a certificate of the test's own."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from riffusion.embedded.child import spawn, stop
from tests.conftest import free_port, wait_until

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")  # Debian's
OPENSSL = shutil.which("openssl")
SITE = Path(__file__).parents[1] / "deploy" / "nginx.conf"
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

needs_nginx = pytest.mark.skipif(
    NGINX is None or OPENSSL is None, reason="nginx or openssl is missing; `apt-get install nginx openssl`"
)


@dataclass(frozen=True)
class Nginx:
    """Host and port of the site, of its files, and of the site without TLS."""

    folder: Path
    site: str
    files: str
    plain: str

    @classmethod
    def prepare(cls, folder: Path) -> "Nginx":
        """Chooses ports and makes a certificate."""
        made = cls(folder, *(f"127.0.0.1:{free_port()}" for _ in range(3)))
        make = [str(OPENSSL), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
                "subjectAltName=IP:127.0.0.1", "-days", "2", "-keyout", str(made._key),
                "-out", str(made._certificate)]  # fmt: skip
        subprocess.run(make, check=True, capture_output=True)
        return made

    @property
    def trust(self) -> ssl.SSLContext:
        """The TLS context that verifies the certificate."""
        return ssl.create_default_context(cafile=self._certificate)

    @contextmanager
    def serving(self, api: str, files: str) -> Iterator[httpx.Client]:
        """Runs it in front of an API and an S3 server, given by host and port; yields a client of the site."""
        self._write(api, files)
        with (self.folder / "nginx.log").open("ab") as log:
            nginx = spawn([str(NGINX), "-p", str(self.folder), "-c", "main.conf", "-e", "stderr"], env={}, output=log)
        try:
            with httpx.Client(base_url=f"https://{self.site}", verify=self.trust, timeout=60) as client:
                wait_until(lambda: nginx.poll() is not None or _serves(client), 20, "nginx doesn't respond")
                assert nginx.poll() is None, (self.folder / "nginx.log").read_text()
                yield client
        finally:
            stop(nginx, grace_s=10)

    def _write(self, api: str, files: str) -> None:
        renamed = {
            "/etc/ssl/music.example.org/fullchain.pem": str(self._certificate),
            "/etc/ssl/files.example.org/fullchain.pem": str(self._certificate),
            "/etc/ssl/music.example.org/privkey.pem": str(self._key),
            "/etc/ssl/files.example.org/privkey.pem": str(self._key),
            "server 127.0.0.1:8000": f"server {api}",
            "server 127.0.0.1:8333": f"server {files}",
            "listen 80": f"listen {self.plain}",
            "listen 443 ssl http2;\n    server_name music": f"listen {self.site} ssl http2;\n    server_name music",
            "listen 443 ssl http2;\n    server_name files": f"listen {self.files} ssl http2;\n    server_name files",
            "https://music.example.org;": f"https://{self.site};",
        }
        text = SITE.read_text()
        for name, here in renamed.items():
            assert name in text
            text = text.replace(name, here)
        (self.folder / "site.conf").write_text(text)
        # As root, nginx would run its workers as a user without access to the tests' folders.
        (self.folder / "main.conf").write_text(MAIN.format(user="user root;" if os.geteuid() == 0 else ""))

    @property
    def _certificate(self) -> Path:
        return self.folder / "certificate.pem"

    @property
    def _key(self) -> Path:
        return self.folder / "key.pem"


def _serves(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").is_success
    except httpx.TransportError:
        return False
