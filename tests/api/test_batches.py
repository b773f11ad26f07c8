"""Batches over HTTP: their bodies, what is refused and where, and their results."""

import io
import json
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from api import batches
from api.services import Services
from riffusion.errors import Gone
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import UNLIMITED, Quota, Tenant
from riffusion.settings import Settings
from tests.api.conftest import PROMPT, Client, LiveServer, Worker, hold_all, png
from tests.conftest import wait_until

ROOT = Path(__file__).parents[2]
JSONL = "application/jsonl"


def client_with_key(app: Flask, services: Services, quota: Quota = UNLIMITED) -> Client:
    """A client with a key of its own."""
    text, _ = services.keys.create("tests", quota)
    made = Client(app)
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    return made


@pytest.fixture
def owner(app: Flask, services: Services, worker: Worker) -> Client:
    """A client with a key; there is a worker."""
    services.store.reap()
    return client_with_key(app, services)


def lines(*requests: object) -> bytes:
    """A body."""
    return b"".join(json.dumps(each).encode() + b"\n" for each in requests)


def many(count: int) -> bytes:
    """A body of so many requests."""
    return lines(*({**PROMPT, "prompt": f"song {number}", "id": f"row-{number}"} for number in range(count)))


def send(client: Client, body: bytes, **headers: str) -> Any:
    """POST /batches."""
    return client.post("/batches", data=body, content_type=JSONL, headers=headers)


def feed(services: Services) -> None:
    """Feeds once, however short a time ago that was."""
    services.store.redis.delete("feeding")
    services.batches.feed()


def results(client: Client, batch_id: str) -> list[dict[str, Any]]:
    """The lines of a batch's results."""
    response = client.get(f"/batches/{batch_id}/results")
    assert (response.status_code, response.content_type) == (200, JSONL)
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_batch_from_its_lines_to_its_results(owner: Client, services: Services, worker: Worker) -> None:
    response = send(owner, many(3))
    assert response.status_code == 202, response.text
    batch = response.json
    assert response.headers["Location"] == batch["links"]["self"] == f"http://localhost/batches/{batch['id']}"
    assert (batch["status"], batch["total"], batch["model"]) == ("running", 3, "tiny")
    assert batch["counts"] == {"held": 3, "queued": 0, "running": 0, "succeeded": 0, "failed": 0, "canceled": 0}
    assert [line["status"] for line in results(owner, batch["id"])] == ["held"] * 3
    feed(services)
    worker.succeed(worker.claim())
    worker.fail(worker.claim())
    found = results(owner, batch["id"])
    assert [(each["line"], each["id"], each["status"]) for each in found] == [
        (1, "row-0", "succeeded"), (2, "row-1", "failed"), (3, "row-2", "queued"),
    ]  # fmt: skip
    assert found[0]["job"]["request"]["prompt"] == "song 0"
    assert found[0]["job"]["batch"] == batch["id"]
    assert found[0]["job"]["result"]["audio"]["url"]
    assert found[1]["error"]["code"] == "out_of_memory"
    worker.work()
    ended = owner.get(f"/batches/{batch['id']}").json
    assert (ended["status"], ended["counts"]["succeeded"], ended["counts"]["failed"]) == ("completed", 2, 1)
    assert [each["id"] for each in owner.get("/batches").json["batches"]] == [batch["id"]]


def test_the_lines_may_be_the_file_of_a_form(owner: Client) -> None:
    response = owner.post("/batches", data={"file": (io.BytesIO(many(2).rstrip()), "requests.jsonl")})
    assert (response.status_code, response.json["total"]) == (202, 2)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"file": "a text"},
        {"other": (io.BytesIO(many(1)), "x")},
        {"file": [(io.BytesIO(many(1)), "x"), (io.BytesIO(many(1)), "y")]},
    ],
)
def test_a_form_has_one_file(owner: Client, services: Services, data: dict[str, Any]) -> None:
    response = owner.post("/batches", data=data, content_type="multipart/form-data")
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "file")
    assert not services.store.redis.exists("batches")


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        (b"{", "lines.2", "not JSON"),
        (b"", "lines.2", "not JSON"),
        (b"[]", "lines.2", "JSON object"),
        (b"\xff", "lines.2", "UTF-8"),
        (b'{"mode": "text-to-audio", "prompt": "a", "prompt": "b"}', "lines.2", "same key"),
        (lines({**PROMPT, "steps": 0}).strip(), "lines.2.steps", "greater"),
        (lines({**PROMPT, "id": "row-0"}).strip(), "lines.2.id", "earlier line"),
        (lines({**PROMPT, "id": 7}).strip(), "lines.2.id", "1 to 128"),
        (b'{"mode": "text-to-audio", "prompt": "a", "id": "\\ud800"}', "lines.2.id", "1 to 128"),
        (lines({**PROMPT, "model": "another"}).strip(), "lines.2.model", "for one model"),
        (lines({"mode": "audio-to-audio", "prompt": "a", "audio": {"upload": "x" * 32}}).strip(), "lines.2.audio", ""),
    ],
)
def test_what_is_wrong_is_named_by_its_line(
    owner: Client, services: Services, line: bytes, field: str, message: str
) -> None:
    response = send(owner, many(1) + line + b"\n" + lines({**PROMPT, "steps": 0}))
    assert (response.status_code, response.json["code"]) == (422, "invalid_request"), response.text
    errors = {each["field"]: each["message"] for each in response.json["errors"]}
    found = next(name for name in errors if name.startswith(field))
    assert message in errors[found]
    assert "lines.3.steps" in errors
    redis = services.store.redis
    assert not [key for key in redis.scan_iter() if key.startswith((b"batch", b"kept", b"pins"))]


def test_an_unknown_model_is_refused(owner: Client) -> None:
    response = send(owner, lines({**PROMPT, "model": "another"}))
    assert (response.status_code, response.json["code"]) == (422, "unknown_reference")
    assert response.json["errors"][0]["field"] == "lines.1.model"


def test_a_batch_has_some_requests_and_not_too_many(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send(owner, b"").status_code == 422
    monkeypatch.setattr("api.batch_intake.MAX_LINES", 3)
    assert send(owner, many(3)).status_code == 202
    assert send(owner, many(4)).json["errors"] == [{"field": "lines", "message": "must be 3 at most"}]


def test_lines_and_bodies_have_a_longest_size(owner: Client, services: Services, monkeypatch: Any) -> None:
    long = lines({**PROMPT, "negative_prompt": "x" * (64 << 10)})
    response = send(owner, many(2) + long)
    assert (response.status_code, response.json["code"]) == (413, "body_too_large")
    assert "Line 3" in response.json["detail"]
    monkeypatch.setattr("api.batches.MAX_BYTES", 1000)
    for body in ({"data": many(20), "content_type": JSONL}, {"data": {"file": (io.BytesIO(many(20)), "x")}}):
        assert owner.post("/batches", **body).status_code == 413
    assert not services.store.redis.exists("batches")


def test_nginx_as_shipped_passes_on_the_longest_bodies(settings: Settings) -> None:
    found = re.search(r"client_max_body_size (\d+)m;", (ROOT / "deploy" / "nginx.conf").read_text())
    assert found
    assert int(found[1]) << 20 > max(batches.MAX_BYTES, settings.max_upload_bytes) + (16 << 10)  # the form around it


def test_other_types_are_refused(owner: Client) -> None:
    for kind in ("application/json", "text/plain", "application/jsonl; charset=latin-1", ""):
        assert owner.post("/batches", data=many(1), content_type=kind).status_code == 415


def test_a_batch_needs_a_key(client: Client, owner: Client, app: Flask, services: Services) -> None:
    batch_id = send(owner, many(1)).json["id"]
    for method, path in (
        ("POST", "/batches"), ("GET", "/batches"), ("GET", f"/batches/{batch_id}"), ("DELETE", f"/batches/{batch_id}"),
        ("GET", f"/batches/{batch_id}/results"), ("POST", f"/batches/{batch_id}/cancel"),
    ):  # fmt: skip
        assert client.open(path, method=method).status_code == 401
    other = client_with_key(app, services)
    for method, path in (
        ("GET", f"/batches/{batch_id}"), ("DELETE", f"/batches/{batch_id}"), ("GET", f"/batches/{batch_id}/results"),
        ("POST", f"/batches/{batch_id}/cancel"),
    ):  # fmt: skip
        assert other.open(path, method=method).status_code == 404
    assert other.get("/batches").json["batches"] == []
    assert owner.get(f"/batches/{batch_id}").json["counts"]["held"] == 1


def test_the_same_body_under_one_key_is_one_batch(owner: Client, services: Services) -> None:
    first = send(owner, many(2), **{"Idempotency-Key": "k"})
    again = send(owner, many(2), **{"Idempotency-Key": "k"})
    form = owner.post("/batches", data={"file": (io.BytesIO(many(2)), "x")}, headers={"Idempotency-Key": "k"})
    assert first.json["id"] == again.json["id"] == form.json["id"]
    assert [each.headers["Idempotent-Replayed"] for each in (first, again, form)] == ["false", "true", "true"]
    other = send(owner, many(3), **{"Idempotency-Key": "k"})
    assert (other.status_code, other.json["code"]) == (422, "idempotency_conflict")
    assert len(owner.get("/batches").json["batches"]) == 1
    assert owner.post("/jobs", json=PROMPT, headers={"Idempotency-Key": "k"}).status_code == 202
    owner.delete(f"/batches/{first.json['id']}")
    assert send(owner, many(2), **{"Idempotency-Key": "k"}).status_code == 410


def test_a_canceled_batch_ends_at_once(owner: Client, services: Services, worker: Worker) -> None:
    batch_id = send(owner, many(40)).json["id"]
    feed(services)
    worker.succeed(worker.claim())
    running = worker.claim()
    canceled = owner.post(f"/batches/{batch_id}/cancel").json
    assert canceled["status"] == "canceled"
    assert canceled["counts"] == {"held": 0, "queued": 0, "running": 0, "succeeded": 1, "failed": 0, "canceled": 39}
    assert services.store.heartbeat("w", {running.id: running.token}) == {running.id}
    assert owner.post(f"/batches/{batch_id}/cancel").json == canceled
    statuses = [each["status"] for each in results(owner, batch_id)]
    assert statuses == ["succeeded"] + ["canceled"] * 39


def test_a_deleted_batch_is_gone_with_its_jobs(owner: Client, services: Services, worker: Worker) -> None:
    batch_id = send(owner, many(2)).json["id"]
    feed(services)
    worker.work()
    job = results(owner, batch_id)[0]["job_id"]
    assert owner.delete(f"/batches/{batch_id}").status_code == 204
    for path in (f"/batches/{batch_id}", f"/batches/{batch_id}/results"):
        assert owner.get(path).status_code == 410
    assert owner.delete(f"/batches/{batch_id}").status_code == 410
    assert owner.get("/batches").json["batches"] == []
    feed(services)
    assert owner.get(f"/jobs/{job}").status_code == 410


def test_a_deleted_job_leaves_its_line(owner: Client, services: Services, worker: Worker) -> None:
    batch_id = send(owner, many(2)).json["id"]
    feed(services)
    worker.succeed(worker.claim())
    owner.delete(f"/jobs/{results(owner, batch_id)[0]['job_id']}")
    owner.delete(f"/jobs/{results(owner, batch_id)[1]['job_id']}")
    found = results(owner, batch_id)
    assert [(each["status"], each["job"]) for each in found] == [("succeeded", None), ("canceled", None)]
    assert found[0]["error"]["code"] == "gone"
    assert owner.get(f"/batches/{batch_id}").json["status"] == "completed"


def test_polls_see_changes_only(owner: Client, services: Services, worker: Worker) -> None:
    batch_id = send(owner, many(2)).json["id"]
    first = owner.get(f"/batches/{batch_id}")
    assert first.headers["Retry-After"] == "5"
    known = {"If-None-Match": first.headers["ETag"]}
    assert owner.get(f"/batches/{batch_id}", headers=known).status_code == 304
    held = owner.get(f"/batches/{batch_id}", headers={**known, "Prefer": "wait=1"})
    assert (held.status_code, held.headers["Preference-Applied"]) == (304, "wait=1")
    feed(services)
    changed = owner.get(f"/batches/{batch_id}", headers={**known, "Prefer": "wait=20"})
    assert changed.json["counts"]["queued"] == 2
    worker.work()
    ended = owner.get(f"/batches/{batch_id}")
    assert "Retry-After" not in ended.headers


def test_a_request_may_name_an_upload_that_is_deleted_before_its_turn(
    owner: Client, services: Services, worker: Worker
) -> None:
    upload = owner.post("/uploads", data={"file": (io.BytesIO(png()), "x.png")}).json["id"]
    body = lines({"mode": "image-to-audio", "image": {"upload": upload}})
    batch_id = send(owner, body).json["id"]
    assert owner.delete(f"/uploads/{upload}").status_code == 204
    feed(services)
    assert worker.claim().inputs
    assert owner.get(f"/batches/{batch_id}").json["counts"]["running"] == 1


def test_limits_count_what_is_held(app: Flask, services: Services, worker: Worker) -> None:
    few = client_with_key(app, services, Quota(jobs_kept=5, request_bytes=2000))
    assert send(few, many(3)).status_code == 202
    refused = send(few, many(3))
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert few.post("/jobs", json=PROMPT).status_code == 202
    assert few.post("/jobs", json=PROMPT).status_code == 202
    assert few.post("/jobs", json=PROMPT).status_code == 429
    small = client_with_key(app, services, Quota(request_bytes=2000))
    assert "MiB of your jobs' requests" in send(small, many(50)).json["detail"]
    once = client_with_key(app, services, Quota(creates_per_minute=1))
    assert send(once, many(50)).status_code == 202
    assert send(once, many(1)).status_code == 429
    daily = client_with_key(app, services, Quota(jobs_kept=10))
    for _ in range(4):
        batch_id = send(daily, many(10)).json["id"]
        daily.delete(f"/batches/{batch_id}")
    assert "a day" in send(daily, many(10)).json["detail"]


def test_an_owner_has_so_many_batches(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.jobs.batches.MAX_BATCHES", 2)
    assert [send(owner, many(1)).status_code for _ in range(3)] == [202, 202, 429]


def test_results_count_as_lists(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.jobs.batches.LISTS_PER_MINUTE", 4)
    batch_id = send(owner, many(101)).json["id"]
    statuses = [owner.get(f"/batches/{batch_id}/results").status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


def test_results_that_find_no_place_cost_nothing(
    owner: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("riffusion.jobs.batches.LISTS_PER_MINUTE", 2)
    path = f"/batches/{send(owner, many(101)).json['id']}/results"
    key = Tenant(f"key:{services.keys.list()[0].id}")
    hold_all(services, key)
    refused = owner.get(path)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    services.held.leave(key)
    assert [owner.get(path).status_code for _ in range(2)] == [200, 429]  # the latter for its lists
    assert services.held.try_enter(key)  # and gave its place back
    assert not services.held.try_enter(key)


@pytest.mark.parametrize("framing", ["length", "chunked", "form"])
def test_a_body_that_breaks_off_is_no_batch(live: LiveServer, framing: str) -> None:
    """Though it breaks off between two lines."""
    store = JobStore.connect(live.settings)
    text, _ = KeyStore(store.redis, live.settings).create("tests", UNLIMITED)
    body, kind = many(150), JSONL
    if framing == "form":
        kind = "multipart/form-data; boundary=x"
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + body
    head = f"POST /batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {text}\r\nContent-Type: {kind}\r\n"
    framed = b"%x\r\n%s\r\n" % (len(body), body) if framing == "chunked" else body
    head += "Transfer-Encoding: chunked\r\n" if framing == "chunked" else f"Content-Length: {len(body) + 9}\r\n"
    address = urlsplit(live.url)
    with socket.create_connection((address.hostname, address.port or 0)) as connection:
        connection.sendall(f"{head}\r\n".encode() + framed)
        connection.shutdown(socket.SHUT_WR)
        assert connection.makefile("rb").readline() == b"HTTP/1.1 400 BAD REQUEST\r\n"
    wait_until(lambda: not list(store.redis.scan_iter("batch*")))


def test_results_of_a_batch_that_is_deleted_meanwhile_break_off(owner: Client) -> None:
    """With an error, so that the server breaks off the response: it doesn't look complete."""
    batch_id = send(owner, many(201)).json["id"]
    found = owner.get(f"/batches/{batch_id}/results", buffered=False).iter_encoded()
    next(found)
    owner.delete(f"/batches/{batch_id}")
    with pytest.raises(Gone):
        list(found)
