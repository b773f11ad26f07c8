"""What may go wrong while a batch is sent and its results are read, and what then happens."""

import json
from typing import Any

import pytest

from riffusion.client import Batch, Client
from riffusion.client.inputs import RequestInput
from riffusion.errors import Gone, JobError, RiffusionError, UnavailableError
from tests.client.conftest import HANG_UP, Asked, Reply, Script, job_json

BATCH_ID = "b" * 22
AWAY: Reply = (503, {"Retry-After": "0"}, json.dumps({"code": "store_unavailable", "detail": "Redis is away."}))


def batch_json(total: int = 3, **more: Any) -> str:
    here = f"http://server.example/batches/{BATCH_ID}"
    counts = {"held": total, "queued": 0, "running": 0, "succeeded": 0, "failed": 0, "canceled": 0}
    return json.dumps(
        {
            "id": BATCH_ID, "status": "running", "model": "tiny", "total": total, "counts": counts,
            "created_at": "2026-11-29T04:00:00Z", "canceled_at": None, "completed_at": None, "expires_at": None,
            "links": {"self": here, "results": f"{here}/results", "cancel": f"{here}/cancel"}, **more,
        }
    )  # fmt: skip


def line(number: int, status: str = "held", **more: Any) -> str:
    empty = {"id": None, "job_id": None, "job": None, "error": None}
    return json.dumps({"line": number, "status": status, **empty, **more}, ensure_ascii=False) + "\n"


@pytest.fixture
def client(script: Script) -> Client:
    return Client(script.url, "riff_key", retry_for_s=3)


@pytest.fixture
def batch(script: Script, client: Client) -> Batch:
    script.replies = [(200, {}, batch_json())]
    made = client.batch(BATCH_ID)
    script.asked.clear()
    return made


def test_a_submission_is_sent_again_whole_and_under_one_key(script: Script, client: Client) -> None:
    script.replies = [HANG_UP, AWAY, (202, {}, batch_json(2))]
    requests: list[RequestInput] = ["a", {"id": "mine", "mode": "riff", "prompt": "b"}]
    client.submit_batch(iter(requests))  # which can be read only once
    bodies = [asked.body for asked in script.asked]
    assert [json.loads(each) for each in bodies[0].splitlines()] == [
        {"mode": "text-to-audio", "prompt": "a"}, {"mode": "riff", "id": "mine", "prompt": "b"}
    ]  # fmt: skip
    assert bodies == bodies[:1] * 3
    assert len({asked.headers["Idempotency-Key"] for asked in script.asked}) == 1
    assert {asked.headers["Content-Type"] for asked in script.asked} == {"application/jsonl"}


def test_results_that_break_off_are_resumed_where_they_were(script: Script, batch: Batch) -> None:
    cut: Reply = (200, {"Content-Length": "9999", "Connection": "close"}, line(1) + line(2)[:-5])
    as_if_whole: Reply = (200, {}, line(1) + line(2))
    whole: Reply = (200, {}, line(1, "running") + line(2, "running") + line(3, "running"))
    script.replies = [cut, AWAY, as_if_whole, whole]
    assert [(each.line, each.status) for each in batch.results()] == [(1, "held"), (2, "held"), (3, "running")]
    assert len(script.asked) == 4


def test_results_that_never_come_end_with_an_error(script: Script, batch: Batch) -> None:
    script.replies = [(200, {}, line(1))]
    seen = batch.results()
    assert next(seen).line == 1
    with pytest.raises(UnavailableError, match="after 1 of 3 lines"):
        next(seen)
    assert len(script.asked) > 1


def test_results_are_whole_though_the_response_breaks_off_behind_the_last(script: Script, client: Client) -> None:
    cut: Reply = (200, {"Content-Length": "9999", "Connection": "close"}, line(1) + line(2) + line(3))
    script.replies = [(200, {}, batch_json()), cut]
    results = client.with_options(retry_for_s=0).batch(BATCH_ID).results()
    assert [each.line for each in results] == [1, 2, 3]


def test_a_batch_that_is_deleted_ends_its_results(script: Script, batch: Batch) -> None:
    gone: Reply = (410, {}, json.dumps({"code": "gone", "detail": "It was deleted."}))
    script.replies = [(200, {}, line(1)), gone]
    seen = batch.results()
    next(seen)
    with pytest.raises(Gone):
        next(seen)


def test_results_come_one_at_a_time(script: Script, client: Client) -> None:
    def half(_: Asked) -> Reply:  # the rest would come after ten seconds, in which nothing is read
        return 200, {"Content-Length": "9999"}, line(1) + line(2)

    script.replies = [(200, {}, batch_json())]
    results = client.with_options(timeout_s=10).batch(BATCH_ID).results()
    script.replies = [half]
    assert next(results).line == 1
    assert next(results).line == 2
    results.close()


def test_a_line_may_contain_what_python_takes_for_the_end_of_one(script: Script, batch: Batch) -> None:
    own = "a\u2028b\u0085c"
    script.replies = [(200, {}, "".join(line(number, id=f"{own}{number}") for number in (1, 2, 3)))]
    assert [each.id for each in batch.results()] == [f"{own}{number}" for number in (1, 2, 3)]


def test_results_without_a_job_say_why(script: Script, batch: Batch) -> None:
    late = {"code": "brand_new", "detail": "Too late."}
    lost = {"code": "gone", "detail": "It has expired."}
    script.replies = [
        (200, {}, line(1, "failed", error=late) + line(2, "succeeded", job_id="j", error=lost) + line(3, "canceled"))
    ]
    errors = [each.error for each in batch.results()]
    assert [error.code for error in errors if error] == ["brand_new", "gone", "canceled"]
    assert isinstance(errors[0], JobError)
    assert isinstance(errors[1], Gone)


@pytest.mark.parametrize("body", ["<html>\n", "[]\n", line(1, "asleep"), line(1, job={})])
def test_lines_of_something_else_are_an_error_of_this_tree(script: Script, batch: Batch, body: str) -> None:
    script.replies = [(200, {}, body)]
    with pytest.raises(RiffusionError, match="can't read"):
        next(batch.results())


def test_waiting_asks_for_changes_only(script: Script, batch: Batch) -> None:
    completed = json.loads(batch_json())["counts"] | {"held": 0, "succeeded": 3}
    script.replies = [
        (200, {"ETag": 'W/"1"'}, batch_json()), (304, {}, ""), HANG_UP,
        (200, {}, batch_json(status="completed", counts=completed)),
    ]  # fmt: skip
    assert batch.wait().data.counts.ended == 3
    assert [asked.headers.get("If-None-Match") for asked in script.asked] == [None, 'W/"1"', 'W/"1"', 'W/"1"']
    assert all(asked.headers["Prefer"].startswith("wait=") for asked in script.asked)


def test_a_job_of_the_results_is_one_of_the_client(script: Script, batch: Batch) -> None:
    script.replies = [(200, {}, line(1, "queued", job=json.loads(job_json())))]
    job = next(batch.results()).job
    assert job
    script.replies = [(200, {}, job_json("canceled"))]
    assert job.cancel().status == "canceled"
