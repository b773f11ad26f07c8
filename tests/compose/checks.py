"""What docker-compose.yml promises, tried on a Docker engine with the images that are there.

`make compose-test` runs it. It isn't part of the daily check: it needs an engine and the images, 7 GB, and takes some
minutes. Each check leaves the stack running for the next.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from riffusion.client import Client, Job
from riffusion.errors import Unauthorized, UnreadableMedia
from riffusion.requests import parse
from tests.acceptance.conftest import http
from tests.acceptance.test_modes import (  # noqa: F401 -- run here too, against this stack
    drawing,
    earlier,
    recording,
    request_of,
    test_a_mode_ends_in_picture_and_sound,
    test_the_same_seed_makes_the_same_picture_in_any_batch,
)
from tests.compose.conftest import Compose, run
from tests.conftest import wait_until

pytestmark = pytest.mark.timeout(1800)

SERVICES = ["redis", "s3", "api", "worker"]
OWN = ["api", "worker"]  # images of this project
API_MB = 250
API_STOPS_S = 40
ENDS_S = 600  # of a job, whatever is restarted meanwhile
# Which ports of an address are open, of all there are.
SCAN = """
import socket, sys
for port in range(1, 65536):
    with socket.socket() as probe:
        probe.settimeout(1)
        if probe.connect_ex((sys.argv[1], port)) == 0:
            print(port)
"""
WITHOUT_BYTECODE = """
import importlib.util, pathlib
modules = [path for folder in ("/opt/app", "/opt/venv/lib") for path in pathlib.Path(folder).rglob("*.py")]
print(sum(not pathlib.Path(importlib.util.cache_from_source(str(path))).exists() for path in modules), len(modules))
"""


def submit(client: Client, number: int, steps: int = 40) -> list[Job]:
    """Queues jobs that no earlier one has made."""
    request = {"mode": "text-to-audio", "prompt": "harp", "steps": steps, "fresh": True}
    return [client.submit(parse({**request, "seed": seed})) for seed in range(number)]


def sound(job: Job) -> bytes:
    """The job's file, from the object storage."""
    job.refresh()
    return http.get(job.audio.url).raise_for_status().content


def test_an_operator_finds_what_is_documented(compose: Compose) -> None:
    described = http.get(f"{compose.url}/openapi.json").raise_for_status().json()
    assert described["info"]["version"] == compose.exec("api", "riffusion", "--version").split()[-1]
    made = compose.exec("api", "riffusion", "keys", "create", "operator")
    shown = dict(line.split(maxsplit=1) for line in made.replace("webhook secret", "secret").splitlines())
    assert shown["id"] in compose.exec("api", "riffusion", "keys", "list")
    keyed = Client(compose.url, shown["key"])
    assert list(keyed.jobs()) == []
    compose.exec("api", "riffusion", "keys", "revoke", shown["id"])
    with pytest.raises(Unauthorized):
        list(keyed.jobs())


@pytest.mark.parametrize(
    ("name", "options"),
    [("a.wav", ()), ("b.wav", ("-c:a", "pcm_f32le")), ("c.wav", ("-c:a", "adpcm_ms")), ("a.aiff", ()), ("a.mp3", ()),
     ("a.flac", ()), ("a.ogg", ()), ("a.opus", ()), ("a.m4a", ()), ("b.m4a", ("-c:a", "alac")),
     ("a.mka", ("-c:a", "ac3")), ("a.webm", ("-c:a", "libopus"))],
)  # fmt: skip
def test_the_api_reads_what_people_send(
    client: Client, make_file: Callable[..., Path], name: str, options: tuple[str, ...]
) -> None:
    assert client.upload(make_file(name, *options)).upload


def test_the_api_refuses_what_is_no_sound(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(b"no sound" * 1000)
    with pytest.raises(UnreadableMedia):
        client.upload(tmp_path / "a.mp3")


@pytest.mark.parametrize("service", SERVICES)
def test_a_container_may_do_nothing_special(compose: Compose, service: str) -> None:
    host = compose.inspect(service)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert not host["Privileged"]
    status = compose.exec(service, "cat", "/proc/1/status").splitlines()
    process = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    assert "0" not in process["Uid"].split() + process["Gid"].split()
    assert {int(process[kind], 16) for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert process["NoNewPrivs"] == "1"
    for folder in ("/", "/usr/bin", "/opt", "/etc"):
        assert "ead-only" in compose.exec(service, "touch", f"{folder}/probe", check=False)


@pytest.mark.parametrize("service", OWN)
def test_an_image_holds_bytecode_and_no_installer(compose: Compose, service: str) -> None:
    lacking, modules = map(int, compose.exec(service, "python", "-c", WITHOUT_BYTECODE).split())
    assert modules > 1000
    assert lacking < modules / 100  # some files of packages are templates, or for another Python
    for module in ("pip", "setuptools", "wheel"):
        assert "No module named" in compose.exec(service, "python", "-m", module, "--version", check=False)
    assert compose.inspect(service)["Config"]["User"] == "10001:10001"


def test_the_apis_image_is_small() -> None:
    assert int(run("docker", "image", "inspect", "--format", "{{.Size}}", "riffusion-api")) <= API_MB * 1_000_000


def test_a_service_opens_its_own_port_only(compose: Compose) -> None:
    def open_ports(service: str, network: str) -> set[int]:
        return set(map(int, compose.exec("api", "python", "-c", SCAN, compose.address(service, network)).split()))

    assert open_ports("redis", "inside") == {6379}
    assert open_ports("s3", "outside") == {8333, 18333}  # the second is its gRPC, for those with its keys
    assert open_ports("worker", "outside") == open_ports("worker", "inside") == {9100}  # its metrics


def test_the_object_storage_is_out_of_reach_of_redis(compose: Compose) -> None:
    def ping(address: str, port: int) -> str:
        command = ("timeout", "5", "valkey-cli", "-h", address, "-p", str(port), "ping")
        return compose.exec("redis", *command, check=False)

    assert "PONG" in ping("127.0.0.1", 6379)
    assert (said := ping(compose.address("s3", "outside"), 8333)) == "" or "Could not connect" in said
    assert compose.exec("redis", "getent", "hosts", "s3", check=False) == ""


def test_a_request_without_keys_is_refused(compose: Compose, client: Client) -> None:
    (job,) = submit(client, 1, steps=2)
    url = httpx.URL(job.wait(timeout_s=ENDS_S).audio.url)
    assert http.get(url).status_code == httpx.codes.OK
    for address in (url.copy_with(query=None), url.copy_with(path="/", query=None)):
        assert http.get(address).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("service", SERVICES)
def test_jobs_outlast_the_restart_of_a_service(compose: Compose, client: Client, service: str) -> None:
    jobs = submit(client, 6)
    wait_until(lambda: jobs[0].refresh() and jobs[0].status != "queued", ENDS_S, "the first job never started")
    compose("restart", service)
    for job in jobs:
        assert len(sound(job.wait(timeout_s=ENDS_S))) > 1000
    wait_until(compose.models, 300, "the worker isn't back")


def test_the_api_ends_by_itself(compose: Compose, client: Client) -> None:
    (job,) = submit(client, 1, steps=150)
    states: list[str] = []

    def follow() -> None:
        states.extend(job.status for _ in job.events())

    follower = threading.Thread(target=follow)
    follower.start()
    wait_until(lambda: states, 60, "no event came")
    began = time.monotonic()
    compose("stop", "api")
    took = time.monotonic() - began
    state = compose.inspect("api")["State"]
    compose("start", "api")
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert took < API_STOPS_S
    follower.join(ENDS_S)
    assert states[-1] == "succeeded"


def test_nothing_is_lost_by_down_and_up(compose: Compose, client: Client) -> None:
    (ended,) = submit(client, 1)
    before = sound(ended.wait(timeout_s=ENDS_S))
    made = compose.exec("api", "riffusion", "keys", "create", "kept").splitlines()
    key = made[1].split()[1]
    compose("stop", "worker")
    waiting = submit(client, 3)
    compose("down")
    assert compose("ps", "--all", "--quiet") == ""
    compose.up()
    assert sound(ended) == before
    assert list(Client(compose.url, key).jobs()) == []
    for job in waiting:
        assert len(sound(job.wait(timeout_s=ENDS_S))) > 1000
        assert job.data.attempts == 1
