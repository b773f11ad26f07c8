"""The package `replicate` from PyPI as it is, with nothing but another base URL."""

import asyncio
import string
import threading
from typing import Any

import pytest
from replicate.client import Client
from replicate.exceptions import ModelError, ReplicateError
from replicate.pagination import paginate

from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED
from tests.api.conftest import LiveServer

REF = "riffusion/riffusion:8cf61ea6c56afd61d8f5b9ffd14d7c216c0a93844ce2d82ac1c9ecc9c7f24e05"
INPUT = {"prompt_a": "church bells"}


def client(server: LiveServer, token: str = "r8_" + string.ascii_lowercase + 11 * "a") -> Client:
    return Client(api_token=token, base_url=server.url)


def check(output: Any) -> None:
    assert set(output) == {"audio", "spectrogram"}
    assert output["audio"].read().startswith(b"RIFF")
    assert output["spectrogram"].read().startswith(b"\x89PNG")


@pytest.mark.parametrize("ref", [REF, "riffusion/riffusion"])
def test_run(busy: LiveServer, ref: str) -> None:
    check(client(busy).run(ref, input=INPUT))


def test_run_without_waiting_in_the_request(busy: LiveServer) -> None:
    check(client(busy).run(REF, input=INPUT, wait=False))


@pytest.mark.parametrize("ref", [REF, "riffusion/riffusion"])
def test_run_in_asyncio(busy: LiveServer, ref: str) -> None:
    check(asyncio.run(client(busy).async_run(ref, input=INPUT)))


def test_predictions(live: LiveServer) -> None:
    ours, worker = client(live), live.worker()
    version = ours.models.get("riffusion/riffusion").versions.get(REF.partition(":")[2])
    prediction = ours.predictions.create(version=version, input=INPUT | {"unknown": 1})
    assert (prediction.status, prediction.input, prediction.version) == ("starting", INPUT, version.id)
    record = worker.claim()
    worker.progress(record, 5)
    prediction.reload()
    assert prediction.status == "processing"
    assert prediction.progress is not None
    assert (prediction.progress.current, prediction.progress.total, prediction.progress.percentage) == (5, 20, 0.25)
    worker.succeed(record)
    prediction.wait()
    assert str(prediction.status) == "succeeded"  # typed as unchanged
    assert prediction.metrics is not None
    assert prediction.metrics["predict_time"] > 0
    assert [each.id for each in ours.predictions.list()] == [prediction.id]
    assert list(client(live, "r8_" + string.ascii_uppercase + 11 * "A").predictions.list()) == []
    assert [each.id for each in ours.models.get("riffusion/riffusion").versions.list()] == [version.id]


def test_a_timed_out_wait_is_followed_by_polls(live: LiveServer) -> None:
    prediction = client(live).predictions.create(version=REF, input=INPUT, wait=1)
    assert prediction.status == "starting"


def test_cancel(live: LiveServer) -> None:
    prediction = client(live).predictions.create(version=REF, input=INPUT)
    prediction.cancel()
    assert prediction.status == "canceled"


def test_a_failure_is_raised(live: LiveServer) -> None:
    worker = live.worker()
    failing = threading.Timer(0.5, lambda: worker.fail(worker.claim()))
    failing.start()
    with pytest.raises(ModelError, match="The job is too large") as failed:
        client(live).run(REF, input=INPUT)
    failing.join()
    assert failed.value.prediction.status == "failed"


def test_what_is_refused_says_why(live: LiveServer) -> None:
    with pytest.raises(ReplicateError, match=r"input\.alpha") as refused:
        client(live).run(REF, input=INPUT | {"alpha": 2})
    assert refused.value.status == 422
    with pytest.raises(ReplicateError, match="one model, riffusion/riffusion"):
        client(live).run("black-forest-labs/flux-schnell", input={"prompt": "a cat"})


def test_pages(live: LiveServer) -> None:
    ours = client(live)
    made = [ours.predictions.create(version=REF, input={"prompt_a": str(index)}).id for index in range(101)]
    pages = list(paginate(ours.predictions.list))
    assert [len(page) for page in pages] == [100, 1]
    assert [each.id for page in pages for each in page] == made[::-1]


def test_the_secret_of_webhooks(live: LiveServer) -> None:
    text, key = KeyStore(JobStore.connect(live.settings).redis, live.settings).create("site", UNLIMITED)
    assert client(live, text).webhooks.default.secret().key == key.webhook_secret
    with pytest.raises(ReplicateError, match="need an API key"):
        client(live).webhooks.default.secret()
