"""Jobs over HTTP: read, wait, list, cancel, delete."""

import time
from threading import Timer
from typing import Any

import pytest

from api.services import Services
from riffusion.jobs.store import Page
from tests.api.conftest import Client, Worker, png, submit


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


def test_a_running_job_shows_its_picture(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    assert client.get(path).json["preview"] is None
    assert (client.get(f"{path}/preview").status_code, client.get(path).json["status"]) == (404, "queued")
    record = worker.claim()
    worker.progress(record, 3, preview=b"first")
    shown = client.get(path).json["preview"]
    assert shown == {"url": f"http://localhost{path}/preview", "number": 1}
    first = client.get(shown["url"])
    assert (first.data, first.content_type) == (b"first", "image/webp")
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Content-Security-Policy"].startswith("default-src 'none'")
    known = {"If-None-Match": first.headers["ETag"]}
    assert client.get(shown["url"], headers=known).status_code == 304
    worker.progress(record, 4, preview=b"second")
    assert client.get(path).json["preview"]["number"] == 2
    assert client.get(shown["url"], headers=known).data == b"second"
    worker.succeed(record)
    assert client.get(path).json["preview"] is None
    gone = client.get(shown["url"], headers=known)
    assert (gone.status_code, gone.json["code"], gone.headers["Cache-Control"]) == (404, "not_found", "no-store")


def test_a_failed_job_has_its_error(client: Client, worker: Worker) -> None:
    job = submit(client)
    worker.fail(worker.claim())
    found = client.get(f"/jobs/{job['id']}").json
    assert (found["status"], found["error"]["code"]) == ("failed", "out_of_memory")


def test_a_tag_identifies_a_state(client: Client, worker: Worker) -> None:
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


def test_a_tag_expires_with_the_links_of_the_result(
    client: Client, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/jobs/{submit(client)['id']}"
    worker.succeed(worker.claim())
    before = client.get(path)
    later = time.time() + 1800
    monkeypatch.setattr("riffusion.storage.time.time", lambda: later)
    after = client.get(path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json["result"]["audio"]["url"] != before.json["result"]["audio"]["url"]


def test_a_long_poll_ends_with_a_change(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    change = Timer(0.2, worker.claim)
    change.start()
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": "respond-async, wait=50"})
    change.join()
    assert (response.status_code, response.json["status"]) == (200, "running")
    assert response.headers["Preference-Applied"] == "wait=50"


def test_a_long_poll_without_a_change_is_304(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    response = client.get(path, headers={"If-None-Match": tag, "Prefer": "wait=1"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (304, "wait=1")


@pytest.mark.parametrize("prefer", ["wait=x", "wait=-1", "waiter=9", "wait", ""])
def test_a_malformed_preference_is_ignored(client: Client, prefer: str) -> None:
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


def test_a_job_deleted_meanwhile_is_not_listed(
    client: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that is deleted while the list is read must not fail the list."""
    ids = [submit(client)["id"] for _ in range(2)]
    read = services.store.list

    def delete_then(*query: Any) -> Page:
        page = read(*query)
        services.store.delete(ids[0])
        return page

    monkeypatch.setattr(services.store, "list", delete_then)
    response = client.get("/jobs")
    assert (response.status_code, [job["id"] for job in response.json["jobs"]]) == (200, ids[::-1])
    assert [job["queue"]["position"] for job in response.json["jobs"]] == [1, 0]


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
