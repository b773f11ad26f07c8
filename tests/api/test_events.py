"""Server-sent events of a job."""

import json
from collections.abc import Iterator
from threading import Timer

import pytest
from werkzeug.test import TestResponse

from api import events
from api.services import Services
from riffusion.jobs.requeue import Requeue
from riffusion.jobs.tenants import Tenant
from tests.api.conftest import CROWD, Client, Worker, hold_all, submit


def blocks(text: str) -> list[dict[str, str]]:
    """The fields of each event or comment."""
    return [
        dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        for block in text.strip("\n").split("\n\n")
    ]


def states(response: TestResponse) -> Iterator[dict[str, str]]:
    """The events of a stream, as they are sent."""
    for chunk in response.iter_encoded():
        yield from (block for block in blocks(chunk.decode()) if "event" in block)


def test_the_stream_has_every_state_and_ends_with_the_job(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    record = worker.claim()
    response = client.get(f"{path}/events", buffered=False)
    stream = states(response)
    sent = [next(stream)]
    worker.succeed(record)
    sent += stream
    assert response.content_type == "text/event-stream; charset=utf-8"
    assert {block["event"] for block in sent} == {"job"}
    assert [json.loads(block["data"])["status"] for block in sent] == ["running", "succeeded"]
    assert json.loads(sent[-1]["data"]) == client.get(path).json
    assert int(sent[0]["id"]) < int(sent[1]["id"])


def test_a_new_preview_is_an_event(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}"
    record = worker.claim()
    stream = states(client.get(f"{path}/events", buffered=False))
    sent = [next(stream)]
    worker.progress(record, 1, preview=b"picture")
    sent.append(next(stream))
    worker.succeed(record)
    sent += stream
    numbers = [preview and preview["number"] for preview in (json.loads(block["data"])["preview"] for block in sent)]
    assert numbers == [None, 1, None]


def test_a_seen_event_is_not_sent_again(client: Client, worker: Worker) -> None:
    path = f"/jobs/{submit(client)['id']}/events"
    worker.fail(worker.claim())
    last = blocks(client.get(path).text)[-1]["id"]
    assert client.get(path, headers={"Last-Event-ID": "1"}).text.count("event: job") == 1
    seen = client.get(path, headers={"Last-Event-ID": last})
    assert (seen.status_code, seen.data) == (204, b"")


def test_a_job_that_was_requeued_is_followed_again(client: Client, services: Services, worker: Worker) -> None:
    job = submit(client)
    path = f"/jobs/{job['id']}/events"
    worker.fail(worker.claim())
    last = blocks(client.get(path).text)[-1]["id"]
    tag = client.get(f"/jobs/{job['id']}").headers["ETag"]
    Requeue(services.store.redis, services.settings).requeue(job["id"])
    polled = client.get(f"/jobs/{job['id']}", headers={"If-None-Match": tag})
    assert (polled.status_code, polled.json["status"], polled.json["error"]) == (200, "queued", None)
    Timer(0.3, worker.work).start()
    sent = [block for block in blocks(client.get(path, headers={"Last-Event-ID": last}).text) if "event" in block]
    assert [json.loads(sent[index]["data"])["status"] for index in (0, -1)] == ["queued", "succeeded"]
    assert int(sent[0]["id"]) > int(last)


def test_a_silent_stream_has_heartbeats(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.05)
    stream = iter(client.get(f"/jobs/{submit(client)['id']}/events", buffered=False).response)
    assert [next(stream).split(b"\n")[0] for _ in range(3)] == [b"retry: 2000", b"event: job", b": still here"]


def test_a_deleted_job_ends_its_stream(client: Client) -> None:
    path = f"/jobs/{submit(client)['id']}"
    Timer(0.2, client.delete, (path,)).start()
    assert client.get(f"{path}/events").text.count("event: job") == 1


def test_beyond_the_limit_a_stream_ends_at_once(client: Client, services: Services) -> None:
    path = f"/jobs/{submit(client)['id']}"
    tag = client.get(path).headers["ETag"]
    hold_all(services, *CROWD)
    assert client.get(f"{path}/events").text.count("event: job") == 1
    poll = client.get(path, headers={"If-None-Match": tag, "Prefer": "wait=50"})
    assert (poll.status_code, "Preference-Applied" in poll.headers) == (304, False)
    services.held.leave(CROWD[0])
    assert client.get(path, headers={"If-None-Match": tag, "Prefer": "wait=1"}).headers["Preference-Applied"]


def test_a_client_that_leaves_before_the_first_event_frees_its_slot(client: Client, services: Services) -> None:
    path = f"/jobs/{submit(client)['id']}/events"
    for _ in range(services.settings.api_connections):
        client.get(path, buffered=False).close()
    assert services.held.try_enter(Tenant("address:127.0.0.1"))
