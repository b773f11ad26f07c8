"""Submitting jobs: what is accepted, what is refused and why."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.app import create_app
from api.services import Services
from riffusion.errors import StoreUnavailable
from riffusion.settings import Settings
from tests.api.conftest import PROMPT, Client, Worker, png, submit, wav


def test_a_job_is_accepted_whole(client: Client) -> None:
    response = client.post("/jobs", json={**PROMPT, "steps": 5})
    job = response.json
    assert response.status_code == 202
    assert response.headers["Location"] == job["links"]["self"] == f"http://localhost/jobs/{job['id']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert (job["status"], job["mode"], job["model"], job["attempts"]) == ("queued", "text-to-audio", "tiny", 0)
    assert job["queue"] == {"position": 0, "eta_s": None, "paused": False}
    assert (job["progress"], job["result"], job["error"], job["warnings"]) == (None, None, None, [])
    assert job["request"]["steps"] == 5
    assert isinstance(job["request"]["seed"], int)
    assert datetime.now(UTC) - datetime.fromisoformat(job["created_at"]) < timedelta(minutes=5)
    assert client.get(job["links"]["self"]).json == job


def test_an_accepted_job_wakes_a_worker(client: Client, services: Services) -> None:
    submit(client)
    assert services.store.redis.llen("riffusion.tiny") == 1


def test_an_accepted_job_is_returned_if_redis_fails_afterwards(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(services.store, "get_with_place", away)
    monkeypatch.setattr(services.wakeups, "publish", lambda *_: False)
    assert submit(client)["queue"] == {"position": 0, "eta_s": None, "paused": False}


def test_an_array_is_accepted_in_its_order(client: Client) -> None:
    response = client.post("/jobs", json=[{**PROMPT, "seed": seed} for seed in range(16)])
    assert response.status_code == 202
    assert [job["request"]["seed"] for job in response.json["jobs"]] == list(range(16))
    assert response.headers["Location"] == "http://localhost/jobs"


@pytest.mark.parametrize(
    "body",
    [[], [PROMPT] * 17, [PROMPT, {"mode": "riff"}], [PROMPT, PROMPT | {"mode": "riff", "init": {"job": "x" * 16}}]],
)
def test_an_array_with_one_invalid_request_is_refused_whole(client: Client, body: Any) -> None:
    assert client.post("/jobs", json=body).status_code == 422
    assert client.get("/jobs").json["jobs"] == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt": 5}, ["prompt"]),
        ({"prompt": "\ud800"}, ["prompt"]),
        ({"steps": True}, ["steps"]),
        ({"steps": 10**30, "guidance": 31}, ["steps", "guidance"]),
        ({"strange": 1}, ["strange"]),
        ({"mode": "techno"}, ["mode"]),
        ({"mode": "riff", "init": {"seed_image": "no-such"}}, ["init.seed_image"]),
        ({"mode": "riff", "init": {"upload": "x" * 20}}, ["init.upload"]),
        ({"mode": "riff", "init": {"job": "x" * 20}}, ["init.job"]),
        ({"mode": "audio-to-audio", "clip": {"upload": "x" * 20}}, ["clip.upload"]),
        ({"model": "no-such"}, ["model"]),
    ],
)
def test_invalid_fields_are_named(client: Client, fields: dict[str, Any], named: list[str]) -> None:
    one = client.post("/jobs", json={**PROMPT, **fields})
    assert one.status_code == 422
    assert [error["field"] for error in one.json["errors"]] == named
    many = client.post("/jobs", json=[PROMPT, {**PROMPT, **fields}])
    assert [error["field"] for error in many.json["errors"]] == [f"1.{name}" for name in named]


def test_numbers_of_another_type_are_refused(client: Client) -> None:
    body = '{"mode": "text-to-audio", "prompt": "x", "guidance": 1e999}'
    response = client.post("/jobs", data=body, content_type="application/json")
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "guidance")


def test_the_same_key_and_body_are_the_same_job(client: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = client.post("/jobs", json=PROMPT, headers=key)
    again = client.post("/jobs", json=PROMPT, headers=key)
    assert (first.headers["Idempotent-Replayed"], again.headers["Idempotent-Replayed"]) == ("false", "true")
    assert again.json == first.json
    assert len(client.get("/jobs").json["jobs"]) == 1


def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    key = {"Idempotency-Key": "k-1"}
    client.post("/jobs", json=PROMPT, headers=key)
    response = client.post("/jobs", json={**PROMPT, "steps": 7}, headers=key)
    assert (response.status_code, response.json["code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize("key", ["", "two words", "k" * 256])
def test_a_malformed_key_is_refused(client: Client, key: str) -> None:
    response = client.post("/jobs", json=PROMPT, headers={"Idempotency-Key": key})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_full_queue_is_503(client: Client, services: Services) -> None:
    waiting = services.settings.max_queued
    for _ in range(waiting // 16 + 1):
        response = client.post("/jobs", json=[PROMPT] * 16)
    assert (response.status_code, response.json["code"]) == (503, "queue_full")
    assert int(response.headers["Retry-After"]) >= 1


LONG = (60_010, 512)
ENDS = {"mode": "interpolate", "start": {"prompt": "a"}, "end": {"prompt": "b"}}


@pytest.mark.parametrize(
    ("size", "fields", "field"),
    [
        ((29_500, 256), {**PROMPT, "mode": "extend", "seconds": 20}, "seconds"),
        ((1000, 512), {**ENDS, "clips": 61}, "clips"),
        (LONG, {**ENDS, "alpha": 0.5}, "init"),
        (LONG, {**PROMPT, "mode": "riff"}, "init"),
        (LONG, {**PROMPT, "mode": "inpaint", "mask": {"seconds": [0, 1]}}, "init"),
        (LONG, {"mode": "loop"}, "init"),
        (LONG, {"mode": "image-to-audio"}, "image"),
    ],
)
def test_a_clip_longer_than_allowed_is_refused(
    client: Client, size: tuple[int, int], fields: dict[str, Any], field: str
) -> None:
    name = "image" if fields["mode"] == "image-to-audio" else "init"
    response = client.post("/jobs", json={**fields, name: {"upload": _upload(client, png(*size))}})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, field)
    assert "at most 600 s are allowed" in response.json["errors"][0]["message"]
    assert client.get("/jobs").json["jobs"] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"mode": "image-to-audio"}, "image"), ({**PROMPT, "mode": "riff"}, "init"),
     ({**PROMPT, "mode": "extend", "seconds": 0.004}, "seconds")],
)  # fmt: skip
def test_a_clip_of_one_column_is_refused(client: Client, fields: dict[str, Any], field: str) -> None:
    name = "image" if fields["mode"] == "image-to-audio" else "init"
    response = client.post("/jobs", json={**fields, name: {"upload": _upload(client, png(1, 400))}})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, field)
    assert "a sound needs two" in response.json["errors"][0]["message"]


def test_a_clip_as_long_as_allowed_is_accepted(client: Client) -> None:
    for mode, field, width in (("image-to-audio", "image", 60_001), ("riff", "init", 2048)):
        request = {**(PROMPT if mode == "riff" else {}), "mode": mode, field: {"upload": _upload(client, png(width))}}
        assert client.post("/jobs", json=request).status_code == 202


@pytest.mark.parametrize(
    "fields",
    [{**PROMPT, "mode": "riff"}, {**ENDS, "clips": 2}, {**PROMPT, "mode": "inpaint", "mask": {"hertz": [0, 99]}}],
)
def test_a_picture_wider_than_the_model_paints_is_refused(client: Client, fields: dict[str, Any]) -> None:
    init = {"upload": _upload(client, png(1025, 256))}
    response = client.post("/jobs", json=[PROMPT, {**fields, "init": init}])
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "1.init")
    assert "has 2050 columns" in response.json["errors"][0]["message"]


@pytest.mark.parametrize("field", ["start", "end"])
def test_each_end_of_a_crossfade_is_painted_at_once(client: Client, field: str) -> None:
    ends: dict[str, Any] = {end: {"init": {"seed_image": "drums"}} for end in ("start", "end")}
    ends[field] = {"init": {"upload": _upload(client, png(2050))}}
    response = client.post("/jobs", json={"mode": "crossfade", **ends, "alpha": 0.5})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, f"{field}.init")
    assert "has 2050 columns" in response.json["errors"][0]["message"]


@pytest.mark.parametrize(("many", "field"), [({"alpha": 0.5}, "start.init"), ({"clips": 64}, "clips")])
def test_a_crossfade_longer_than_allowed_is_refused(client: Client, many: dict[str, Any], field: str) -> None:
    wide = {"init": {"upload": _upload(client, png(*(LONG if "alpha" in many else (1000, 512))))}}
    response = client.post("/jobs", json={"mode": "crossfade", "start": wide, "end": wide, **many})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, field)


def test_a_sound_of_the_longest_that_may_be_uploaded_is_taken(settings: Settings) -> None:
    client = Client(create_app(settings.model_copy(update={"max_audio_s": 0.995})))
    clip = {"upload": _upload(client, wav(0.995))}
    assert client.post("/jobs", json={"mode": "audio-to-image", "clip": clip}).status_code == 202


def test_another_clients_upload_is_unknown(client: Client, stranger: Client) -> None:
    body = {**PROMPT, "mode": "riff", "init": {"upload": _upload(client, png())}}
    refused = stranger.post("/jobs", json=body)
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_reference")
    assert client.post("/jobs", json=body).status_code == 202


def test_an_earlier_job_is_a_reference_once_it_has_succeeded(client: Client, worker: Worker) -> None:
    earlier = submit(client)
    body = {**PROMPT, "mode": "riff", "init": {"job": earlier["id"]}}
    assert client.post("/jobs", json=body).json["errors"][0]["field"] == "init.job"
    worker.succeed(worker.claim())
    assert client.post("/jobs", json=body).status_code == 202


def _upload(client: Client, content: bytes) -> str:
    response = client.post("/uploads", data={"file": (io.BytesIO(content), "x")})
    assert response.status_code == 201, response.text
    upload_id: str = response.json["id"]
    return upload_id
