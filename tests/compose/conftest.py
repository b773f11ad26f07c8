"""The stack of docker-compose.yml on a Docker engine, under a name, ports, keys and volumes of its own."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from riffusion.client import Client
from tests.acceptance.conftest import http, ready
from tests.audio.conftest import make_file  # noqa: F401 -- a fixture
from tests.conftest import free_port, wait_until

ROOT = Path(__file__).parents[2]
PROJECT = "riffusion-compose-test"
STARTS_S = 300  # of the worker, on a busy machine
FIGURES = pytest.StashKey[dict[str, str]]()


@dataclass
class Compose:
    """The running stack."""

    folder: Path
    """Of its settings."""
    url: str
    """Of the published API."""

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Runs docker-compose with these arguments; returns what it prints."""
        files = [ROOT / "docker-compose.yml", ROOT / "docker-compose.cpu.yml", self.folder / "ports.yml"]
        options = [option for file in files for option in ("--file", str(file))]
        program = str(Path(sys.executable).parent / "docker-compose")
        command = [program, "--project-name", PROJECT, "--env-file", str(self.folder / ".env"), *options, *arguments]
        return run(*command, check=check)

    @property
    def client(self) -> Client:
        """A client that outlasts the restart of any service."""
        return Client(self.url, retry_for_s=STARTS_S)

    def up(self) -> tuple[float, float]:
        """Starts all services; returns the seconds until the API was ready and the worker announced."""
        began = time.monotonic()
        self("up", "--detach", "--no-build", "--quiet-pull")
        wait_until(lambda: ready(http, self.url), STARTS_S, "the API never got ready")
        api_s = time.monotonic() - began
        wait_until(self.models, STARTS_S, "the worker never showed up")
        return api_s, time.monotonic() - began

    def models(self) -> bool:
        """Whether a worker is announced."""
        try:
            return bool(http.get(f"{self.url}/models").raise_for_status().json()["models"])
        except httpx.HTTPError:
            return False

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine says of a service's container."""
        (container,) = json.loads(run("docker", "inspect", self("ps", "--all", "--quiet", service).strip()))
        return dict(container)

    def address(self, service: str, network: str) -> str:
        """Of a service's container in a network of docker-compose.yml."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        return str(networks[f"{PROJECT}_{network}"]["IPAddress"])

    def exec(self, service: str, *command: str, check: bool = True) -> str:
        """Runs a command in a service's container; returns what it prints."""
        return self("exec", "--no-TTY", service, *command, check=check)


def run(*command: str, check: bool = True) -> str:
    """Runs a program; returns what it prints, errors included where it may fail."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout if check else done.stdout + done.stderr


def missing() -> str | None:
    """Why the stack can't be started here."""
    try:
        subprocess.run(["docker", "version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        where = os.environ.get("DOCKER_HOST", "its default address")
        return f"No Docker engine responds at {where}: start one, or set DOCKER_HOST."
    for image in ("riffusion-api", "riffusion-worker"):
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
            return f"The image {image} isn't there: run `make images` first."
    return None


@pytest.fixture(scope="session")
def compose(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Compose]:
    """The stack, for all checks; in the end it is removed with its volumes."""
    if reason := missing():
        pytest.exit(reason, returncode=1)
    folder, api, s3 = tmp_path_factory.mktemp("compose"), free_port(), free_port()
    stack = Compose(folder, f"http://127.0.0.1:{api}")
    (folder / ".env").write_text(
        f"S3_ACCESS_KEY={secrets.token_hex(10)}\nS3_SECRET_KEY={secrets.token_hex(20)}\n"
        f"PUBLIC_URL={stack.url}\nS3_PUBLIC_ENDPOINT=http://127.0.0.1:{s3}\n"
    )
    ports = {"api": f"127.0.0.1:{api}:8000", "s3": f"127.0.0.1:{s3}:8333"}
    overrides = "".join(f'  {name}: {{ports: !override ["{port}"]}}\n' for name, port in ports.items())
    (folder / "ports.yml").write_text(f"services:\n{overrides}")
    try:
        api_s, worker_s = stack.up()
        figures = {"API ready after": f"{api_s:.1f} s", "worker ready after": f"{worker_s:.1f} s"}
        for image in ("riffusion-api", "riffusion-worker"):
            figures[image] = f"{int(run('docker', 'image', 'inspect', '--format', '{{.Size}}', image)) / 1e6:.0f} MB"
        pytestconfig.stash[FIGURES] = figures
        yield stack
    finally:
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build/compose-test.log").write_text(stack("logs", "--no-color", "--timestamps", check=False))
        stack("down", "--volumes", "--timeout", "20", check=False)


@pytest.fixture(scope="session")
def client(compose: Compose) -> Client:
    """Of the published API, without a key."""
    return compose.client


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """What was measured on the way, above the last line."""
    if figures := config.stash.get(FIGURES, {}):
        terminalreporter.write_line("; ".join(f"{name} {value}" for name, value in figures.items()))
        terminalreporter.write_line("The services' logs are in build/compose-test.log.")
