"""Jobs over HTTP: submit, look, list, cancel, delete."""

import io
from datetime import UTC, datetime, timedelta
from threading import Timer
from typing import Any

import pytest

from api.services import Services
from tests.api.conftest import PROMPT, Client, Worker, png, submit


def test_a_job_is_accepted_whole(client: Client) -> None:
    response = client.post("/jobs", json={**PROMPT, "steps": 5})
    job = response.json
    assert response.status_code == 202
    assert response.headers["Location"] == job["links"]["self"] == f"http://localhost/jobs/{job['id']}"
    assert int(response.headers["Retry-After"]) >= 1
    assert (job["status"], job["mode"], job["model"], job["attempts"]) == ("queued", "text-to-audio", "tiny", 0)
    assert job["queue"] == {"position": 0, "eta_s": None}
    assert (job["progress"], job["result"], job["error"], job["warnings"]) == (None, None, None, [])
    assert job["request"]["steps"] == 5
    assert isinstance(job["request"]["seed"], int)
    assert datetime.now(UTC) - datetime.fromisoformat(job["created_at"]) < timedelta(minutes=5)
    assert client.get(job["links"]["self"]).json == job


def test_an_accepted_job_wakes_a_worker(client: Client, services: Services) -> None:
    submit(client)
    assert services.store.redis.llen("riffusion.tiny") == 1


def test_an_array_is_accepted_in_its_order(client: Client) -> None:
    response = client.post("/jobs", json=[{**PROMPT, "seed": seed} for seed in range(16)])
    assert response.status_code == 202
    assert [job["request"]["seed"] for job in response.json["jobs"]] == list(range(16))
    assert response.headers["Location"] == "http://localhost/jobs"


@pytest.mark.parametrize(
    "body",
    [[], [PROMPT] * 17, [PROMPT, {"mode": "riff"}], [PROMPT, PROMPT | {"mode": "riff", "init": {"job": "x" * 16}}]],
)
def test_an_array_with_one_fault_is_refused_whole(client: Client, body: Any) -> None:
    assert client.post("/jobs", json=body).status_code == 422
    assert client.get("/jobs").json["jobs"] == []


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"prompt": 5}, ["prompt"]),
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
def test_faults_are_named_by_field(client: Client, fields: dict[str, Any], named: list[str]) -> None:
    one = client.post("/jobs", json={**PROMPT, **fields})
    assert one.status_code == 422
    assert [fault["field"] for fault in one.json["errors"]] == named
    many = client.post("/jobs", json=[PROMPT, {**PROMPT, **fields}])
    assert [fault["field"] for fault in many.json["errors"]] == [f"1.{name}" for name in named]


def test_numbers_that_are_none_are_refused(client: Client) -> None:
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
def test_a_key_that_is_none_is_refused(client: Client, key: str) -> None:
    response = client.post("/jobs", json=PROMPT, headers={"Idempotency-Key": key})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "Idempotency-Key")


def test_a_full_queue_says_so(client: Client, services: Services) -> None:
    waiting = services.settings.max_queued
    for _ in range(waiting // 16 + 1):
        response = client.post("/jobs", json=[PROMPT] * 16)
    assert (response.status_code, response.json["code"]) == (503, "queue_full")
    assert int(response.headers["Retry-After"]) >= 1


def test_a_clip_longer_than_allowed_is_refused(client: Client) -> None:
    init = {"upload": _upload(client, png(59_000, 16))}
    request = {**PROMPT, "mode": "extend", "init": init, "seconds": 20}
    response = client.post("/jobs", json=request)
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "seconds")


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


def test_a_job_runs_and_succeeds(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    record = worker.claim()
    worker.progress(record, 3)
    running = client.get(path)
    assert (running.json["status"], running.json["progress"]) == ("running", {"step": 3, "total": 20})
    assert (running.json["queue"], running.json["attempts"]) == (None, 1)
    assert running.headers["Retry-After"] == "1"
    worker.succeed(record)
    done = client.get(path)
    assert (done.json["status"], done.json["warnings"]) == ("succeeded", ["it was loud"])
    assert "Retry-After" not in done.headers
    image, audio = done.json["result"]["image"], done.json["result"]["audio"]
    assert (image["width"], image["height"], audio["format"], audio["duration_s"]) == (512, 512, "wav", 5.11)
    assert client.get(image["url"]).data == png(512)
    assert client.get(path).json == done.json


def test_a_failure_says_why(client: Client, worker: Worker) -> None:
    job = submit(client)
    worker.fail(worker.claim())
    found = client.get(f"/jobs/{job['id']}").json
    assert (found["status"], found["error"]["code"]) == ("failed", "out_of_memory")


def test_a_tag_stands_for_a_state(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    assert tag.startswith('W/"')
    same = client.get(path, headers={"If-None-Match": tag})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", tag)
    worker.succeed(worker.claim())
    new = client.get(path, headers={"If-None-Match": tag})
    assert new.status_code == 200
    assert client.get(path, headers={"If-None-Match": new.headers["ETag"]}).status_code == 304


def test_a_tag_changes_with_the_place_in_the_queue(client: Client, worker: Worker) -> None:
    submit(client)
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    worker.claim()
    moved = client.get(path, headers={"If-None-Match": tag})
    assert (moved.status_code, moved.json["queue"]["position"]) == (200, 0)


def test_a_long_poll_answers_when_something_changes(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    change = Timer(0.2, worker.claim)
    change.start()
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": "respond-async, wait=50"})
    change.join()
    assert (response.status_code, response.json["status"]) == (200, "running")
    assert response.headers["Preference-Applied"] == "wait=50"


def test_a_long_poll_without_news_is_304(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": "wait=1"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (304, "wait=1")


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "waiter=9", "wait", ""])
def test_a_preference_that_is_none_is_ignored(client: Client, prefer: str) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": prefer})
    assert (response.status_code, "Preference-Applied" in response.headers) == (304, False)


def test_an_ended_job_is_not_waited_for(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    client.post(f"{path}/cancel")
    tag = client.get(path).headers["ETag"]
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": "wait=50"})
    assert (response.status_code, "Preference-Applied" in response.headers) == (304, False)


def test_a_list_holds_the_callers_own_newest_first(client: Client, stranger: Client, worker: Worker) -> None:
    ids = [submit(client)["id"] for _ in range(5)]
    worker.claim()
    assert [job["id"] for job in client.get("/jobs").json["jobs"]] == ids[::-1]
    assert [job["id"] for job in client.get("/jobs?status=running").json["jobs"]] == ids[:1]
    assert stranger.get("/jobs").json == {"jobs": [], "next_cursor": None}


def test_a_list_comes_in_pages(client: Client) -> None:
    ids = [submit(client)["id"] for _ in range(5)]
    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/jobs?limit=2{cursor and f'&cursor={cursor}'}").json
        assert len(page["jobs"]) <= 2
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == ids[::-1]


def test_cancel_ends_a_job_once(client: Client, worker: Worker) -> None:
    for claim in (False, True):
        path = f"/jobs/{submit(client)['id']}"
        if claim:
            worker.claim()
        canceled = client.post(f"{path}/cancel")
        assert (canceled.status_code, canceled.json["status"]) == (200, "canceled")
        assert client.post(f"{path}/cancel").json == canceled.json == client.get(path).json


def test_cancel_leaves_a_result_alone(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    worker.succeed(worker.claim())
    assert client.post(f"{path}/cancel").json["status"] == "succeeded"


def test_a_deleted_job_is_gone(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    assert client.delete(path).status_code == 204
    for response in (
        client.get(path),
        client.delete(path),
        client.post(f"{path}/cancel"),
        client.get(f"{path}/events"),
    ):
        assert (response.status_code, response.json["code"]) == (410, "gone")
    assert client.get("/jobs").json["jobs"] == []


def _upload(client: Client, content: bytes) -> str:
    response = client.post("/uploads", data={"file": (io.BytesIO(content), "x")})
    assert response.status_code == 201, response.text
    upload_id: str = response.json["id"]
    return upload_id
