"""Passing failures are retried, no sooner than the server asks; others are raised as the server's errors."""

import json
import time

import pytest

from riffusion.client import Client
from riffusion.client.calls import run
from riffusion.client.transport import Transport
from riffusion.client.wire import BlockingWire
from riffusion.errors import (
    InvalidRequest,
    QueueFull,
    RequestError,
    RiffusionError,
    SetupError,
    StoreUnavailable,
    UnavailableError,
    UnknownReference,
)
from riffusion.requests.modes.text_to_audio import TextToAudio
from tests.client.conftest import HANG_UP, JOB_ID, Reply, Script, job_json
from tests.conftest import free_port

ACCEPTED: Reply = (202, {"Content-Type": "application/json"}, job_json())


def problem(status: int, code: str, detail: str = "A reason.", retry_after: str | None = None, **more: object) -> Reply:
    headers = {"Content-Type": "application/problem+json", **({"Retry-After": retry_after} if retry_after else {})}
    return status, headers, json.dumps({"code": code, "detail": detail, **more})


@pytest.mark.parametrize("obstacle", [problem(503, "queue_full", retry_after="1"), HANG_UP, (502, {}, "<html>")])
def test_a_submission_is_repeated_under_one_key(script: Script, obstacle: Reply) -> None:
    script.replies = [obstacle, ACCEPTED]
    with Client(script.url) as client:
        assert client.submit(TextToAudio(prompt="bells")).id == JOB_ID
    first, second = script.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert first.body == second.body


def test_two_submissions_have_two_keys(script: Script) -> None:
    script.replies = [ACCEPTED]
    with Client(script.url) as client:
        client.submit(TextToAudio(prompt="bells"))
        client.submit(TextToAudio(prompt="bells"))
    assert len({asked.headers["Idempotency-Key"] for asked in script.asked}) == 2


def test_the_servers_pause_is_kept(script: Script) -> None:
    script.replies = [problem(429, "rate_limited", retry_after="2"), ACCEPTED]
    began = time.monotonic()
    with Client(script.url) as client:
        client.submit(TextToAudio(prompt="bells"))
    assert time.monotonic() - began >= 2


def test_a_pause_beyond_the_retries_is_an_error_at_once(script: Script) -> None:
    script.replies = [problem(503, "queue_full", "The queue is full.", retry_after="3600")]
    with Client(script.url, retry_for_s=5) as client, pytest.raises(QueueFull, match="The queue is full") as caught:
        client.submit(TextToAudio(prompt="bells"))
    assert caught.value.retry_after == 3600
    assert len(script.asked) == 1


def test_retries_end(script: Script) -> None:
    script.replies = [problem(503, "store_unavailable")]
    with Client(script.url, retry_for_s=1) as client, pytest.raises(StoreUnavailable):
        client.submit(TextToAudio(prompt="bells"))
    assert len(script.asked) >= 2


def test_an_address_without_a_scheme_is_refused_at_once() -> None:
    with pytest.raises(SetupError, match="must begin with http"):
        Client("localhost:8000")


def test_a_server_that_is_not_there_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url, retry_for_s=0) as client, pytest.raises(UnavailableError, match=url):
        client.models()


def test_a_refusal_is_not_repeated_and_names_the_fields(script: Script) -> None:
    script.replies = [problem(422, "invalid_request", errors=[{"field": "steps", "message": "is too big"}])]
    with Client(script.url) as client, pytest.raises(InvalidRequest) as caught:
        client.submit(TextToAudio(prompt="bells"))
    assert caught.value.fields == [{"field": "steps", "message": "is too big"}]
    assert len(script.asked) == 1


def test_an_unknown_reference_says_where(script: Script) -> None:
    script.replies = [problem(422, "unknown_reference", errors=[{"field": "init", "message": "no such seed"}])]
    with Client(script.url) as client, pytest.raises(UnknownReference) as caught:
        client.submit(TextToAudio(prompt="bells"))
    assert caught.value.field == "init"


@pytest.mark.parametrize(
    ("reply", "kind", "code"),
    [
        (problem(418, "brand_new"), RequestError, "brand_new"),
        (problem(500, "brand_new"), RiffusionError, "brand_new"),
        ((403, {}, "<html>"), RequestError, "bad_request"),
    ],
)
def test_a_code_of_a_later_version_keeps_its_name(
    script: Script, reply: Reply, kind: type[RiffusionError], code: str
) -> None:
    script.replies = [reply]
    with Client(script.url) as client, pytest.raises(kind) as caught:
        client.models()
    assert type(caught.value) is kind
    assert caught.value.code == code


def test_the_key_goes_to_its_server_only(script: Script) -> None:
    script.replies = [(200, {}, "{}")]
    wire = BlockingWire()
    for url, path in (("http://127.0.0.1:1", f"{script.url}/clip.mp3"), (script.url, "jobs")):
        transport = Transport.to(url, "secret", "s" * 22, wire, timeout_s=5, retry_for_s=0).for_end_user("me")
        run(transport.request("GET", path))
    other, own = (asked.headers for asked in script.asked)
    assert not {"Authorization", "Riffusion-Secret", "Riffusion-End-User"} & other.keys()
    assert {"Authorization", "Riffusion-Secret", "Riffusion-End-User"} <= own.keys()
    run(wire.close())
