"""The files for Docker, read by the real compose and a linter; nothing here builds or runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from riffusion.audio import ffmpeg
from riffusion.embedded.valkey import Valkey

ROOT = Path(__file__).parents[1]


def load(name: str) -> dict[str, Any]:
    # `!reset` is compose's own tag, which removes a value of the file below.
    text = (ROOT / name).read_text().replace("!reset ", "")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def run(command: str, *arguments: str, **env: str) -> str:
    """Runs a tool of the environment; returns what it prints."""
    ran = subprocess.run(
        [Path(sys.executable).parent / command, *arguments],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("files", [("docker-compose.yml",), ("docker-compose.yml", "docker-compose.cpu.yml")])
def test_compose_takes_its_files(files: tuple[str, ...]) -> None:
    options = [option for file in files for option in ("-f", file)]
    printed = run("docker-compose", *options, "config", "--services", S3_ACCESS_KEY="a", S3_SECRET_KEY="b")
    assert set(printed.split()) == {"redis", "s3", "bucket", "api", "worker"}


def test_the_dockerfile_is_as_its_linter_wants_it() -> None:
    run("hadolint", "Dockerfile")


def test_every_service_is_watched_restarted_and_closed_to_the_outside() -> None:
    services = load("docker-compose.yml")["services"]
    for name, service in services.items():
        assert name == "bucket" or service["restart"] == "unless-stopped"  # it makes the bucket, and ends
        # A worker is alive if Redis has its announcement.
        assert name in ("worker", "bucket") or "healthcheck" in service
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "ports" not in services["redis"]
    assert services["redis"]["networks"] == ["inside"]


def test_no_service_may_do_more_than_it_needs() -> None:
    for service in load("docker-compose.yml")["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        # The project's own images say it themselves.
        assert service["image"].startswith("riffusion-") or service["user"] not in ("root", "0")


def test_only_those_with_its_keys_reach_the_object_storage() -> None:
    services = load("docker-compose.yml")["services"]
    assert services["s3"]["networks"] == ["outside"]
    for name, service in services.items():
        keys = {"RIFFUSION_S3_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"} & set(service.get("environment", {}))
        assert ("outside" in service["networks"]) == bool(keys), name
    command = services["s3"]["command"]
    assert {"-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3.port.iceberg=0", "-s3.port.lance=0"} <= set(command)


def test_the_api_image_decodes_what_the_project_decodes() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    def enabled(part: str) -> set[str]:
        return {name for names in re.findall(rf"--enable-{part}=(\S+)", dockerfile) for name in names.split(",")}

    # `lib…` are other decoders of formats that ffmpeg's own decoders read.
    assert enabled("decoder") == {name for name in ffmpeg.CODECS.split(",") if not name.startswith("lib")}
    assert enabled("demuxer") == set(ffmpeg.FORMATS.split(","))


def test_redis_keeps_what_was_accepted() -> None:
    command = " ".join(load("docker-compose.yml")["services"]["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--appendfsync always" in command
    assert "--maxmemory-policy noeviction" in command


def test_redis_keeps_records_as_small_as_in_the_embedded_stack() -> None:
    command = " ".join(load("docker-compose.yml")["services"]["redis"]["command"])
    own = Valkey(ROOT).config()
    for name in ("hash-max-listpack-entries", "hash-max-listpack-value"):
        assert f"--{name} {own[name]}" in command


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert "S3_SECRET_KEY:-" not in text
    assert "S3_ACCESS_KEY:-" not in text


def test_the_gpu_is_reserved_and_the_override_drops_it() -> None:
    def devices(name: str) -> Any:
        return load(name)["services"]["worker"]["deploy"]["resources"]["reservations"]["devices"]

    assert devices("docker-compose.yml")[0]["capabilities"] == ["gpu"]
    assert devices("docker-compose.cpu.yml") == []
    assert "devices: !reset []" in (ROOT / "docker-compose.cpu.yml").read_text()


def test_containers_do_not_run_as_root() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    for target in ("api", "worker"):
        stage = dockerfile.split(f"FROM base AS {target}\n")[1].split("FROM ")[0]
        assert "USER 10001:10001" in stage  # by number: Kubernetes' runAsNonRoot takes no name


def test_the_api_image_has_no_torch() -> None:
    locked = (ROOT / "locks/api.txt").read_text().splitlines()
    names = {line.split("==")[0] for line in locked if "==" in line}
    assert names & {"flask", "redis", "celery", "boto3"}
    assert not names & {"torch", "torchaudio", "numpy", "diffusers", "transformers"}


@pytest.mark.parametrize("name", ["api", "worker", "dev", "uv", "build"])
def test_locks_pin_by_hash_and_name_no_registry(name: str) -> None:
    text = (ROOT / f"locks/{name}.txt").read_text()
    assert "--hash=sha256:" in text
    assert "://" not in text
