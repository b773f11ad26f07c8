"""What may go wrong between client and server, and what then happens."""

import asyncio
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from riffusion.client import AsyncClient, Client, Job
from riffusion.client.job import JobCalls
from riffusion.errors import Gone, NotFound, RequestError, SetupError, StoreUnavailable, UnavailableError
from tests.client.conftest import HANG_UP, JOB_ID, Asked, Reply, Script, job_json

AWAY: Reply = (503, {}, json.dumps({"code": "store_unavailable", "detail": "Redis is away."}))
GONE: Reply = (410, {}, json.dumps({"code": "gone", "detail": "It was deleted."}))
QUEUED: Reply = (200, {}, job_json())


def event(number: int, status: str, **more: Any) -> str:
    return f"event: job\nid: {number}\ndata: {job_json(status, **more)}\n\n"


def paths(script: Script) -> list[str]:
    return [f"{asked.method} {asked.path.removeprefix(f'/jobs/{JOB_ID}')}" for asked in script.asked]


@pytest.fixture
def job(script: Script) -> Job:
    script.replies = [QUEUED]
    made = Client(script.url, retry_for_s=3).job(JOB_ID)
    script.asked.clear()
    return made


# A stream


def test_an_event_that_is_cut_short_is_sent_again(script: Script, job: Job) -> None:
    whole = event(1, "queued") + event(2, "running")
    first: Reply = (200, {"Content-Length": "9999", "Connection": "close"}, whole + event(3, "succeeded")[:-30])
    script.replies = [first, AWAY, (200, {}, event(3, "succeeded"))]
    assert [each.data.status for each in job.events()] == ["queued", "running", "succeeded"]
    assert [asked.headers.get("Last-Event-ID") for asked in script.asked] == [None, "2", "2"]


def test_a_line_may_contain_what_python_takes_for_the_end_of_one(script: Script, job: Job) -> None:
    request = {"mode": "text-to-audio", "prompt": "a\u2028b\u0085c\x1dd"}
    text = event(1, "succeeded", request=request).replace("\\u2028", "\u2028").replace("\\u0085", "\u0085")
    script.replies = [(200, {}, text.replace("\n", "\r\n"))]
    assert [each.data.request for each in job.events()] == [request]


def test_a_stream_that_something_keeps_empty_ends_with_an_error(script: Script, job: Job) -> None:
    script.replies = [(200, {}, "retry: 2000\n\n")]
    with pytest.raises(UnavailableError, match="wait for the job"):
        list(job.events())


def test_a_job_that_is_deleted_ends_its_stream(script: Script, job: Job) -> None:
    script.replies = [(200, {}, event(1, "running")), GONE]
    with pytest.raises(Gone):
        list(job.events())


def test_a_preview_that_is_not_there_is_left_out(script: Script, job: Job) -> None:
    preview = {"url": f"{script.url}/jobs/{JOB_ID}/preview", "number": 1}
    stream = event(1, "running", preview=preview) + event(2, "running", preview=preview | {"number": 2})
    script.replies = [
        (200, {}, stream + event(3, "running", preview=preview | {"number": 2}) + event(4, "succeeded")),
        AWAY,
        (200, {}, "webp"),
    ]
    assert [each.preview for each in job.events(previews=True)] == [None, b"webp", None, None]


# Calls


def test_a_server_that_is_away_does_not_lengthen_a_wait(script: Script, job: Job) -> None:
    script.replies = [HANG_UP]
    began = time.monotonic()
    with pytest.raises(TimeoutError) as caught:
        job.wait(timeout_s=0.5)
    assert time.monotonic() - began < 2.5
    assert isinstance(caught.value.__cause__, UnavailableError)


def test_a_deletion_without_a_response_was_one(script: Script, job: Job) -> None:
    script.replies = [HANG_UP, GONE]
    job.delete()
    script.replies = [AWAY, GONE]
    with pytest.raises(Gone):
        job.delete()


def test_a_redirect_takes_no_secret_to_another_host(script: Script) -> None:
    script.replies = [(308, {"Location": f"{script.url}/elsewhere"}, "")]
    with Client(script.url, secret="s" * 22) as client, pytest.raises(SetupError, match="elsewhere"):
        client.submit("bells")
    assert len(script.asked) == 1


@pytest.mark.parametrize("key", ["key\n", "kéy", "key\r\nX-Forwarded-For: 1"])
def test_a_key_that_is_none_is_named_but_not_quoted(script: Script, key: str) -> None:
    with Client(script.url, key) as client, pytest.raises(RequestError, match="Authorization: must be") as caught:
        client.submit("bells")
    assert key not in str(caught.value)
    assert not script.asked


@pytest.mark.parametrize("job_id", ["", "../admin", "..", "a?b", "a/b", "a#b", "%2e%2e", "a\n"])
def test_an_id_can_not_lead_elsewhere(script: Script, job_id: str) -> None:
    with Client(script.url) as client:
        with pytest.raises(NotFound):
            client.job(job_id)
        with pytest.raises(NotFound):
            client.delete_upload(job_id)
    assert not script.asked


@pytest.mark.parametrize("pause", ["²", "soon", "-1", "9" * 400])
def test_a_pause_that_is_none(script: Script, pause: str) -> None:
    script.replies = [(503, {"Retry-After": pause}, json.dumps({"code": "store_unavailable", "detail": "Away."}))]
    with Client(script.url, retry_for_s=0) as client, pytest.raises(StoreUnavailable):
        client.models()


@pytest.mark.parametrize("errors", [[{"a": 1}], "none", [1]])
def test_an_error_in_another_form_is_an_error_of_this_tree(script: Script, errors: object) -> None:
    problem = {"code": "invalid_request", "detail": "Wrong.", "errors": errors}
    script.replies = [(422, {}, json.dumps(problem))]
    with Client(script.url) as client, pytest.raises(RequestError, match="422"):
        client.submit("bells")


# A run that somebody interrupts


def test_a_run_that_takes_too_long_is_canceled(script: Script) -> None:
    script.replies = [(202, {}, job_json()), (304, {}, "")]
    with Client(script.url) as client, pytest.raises(TimeoutError):
        client.run("bells", timeout_s=0.1)
    assert paths(script)[-1] == "POST /cancel"


def test_a_run_that_is_stopped_by_ctrl_c_is_canceled(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(JobCalls, "_refresh", stop)
    script.replies = [(202, {}, job_json()), QUEUED]
    with Client(script.url) as client, pytest.raises(KeyboardInterrupt):
        client.run("bells")
    assert paths(script) == ["POST /jobs", "POST /cancel"]


def test_a_submission_that_is_stopped_by_ctrl_c_is_canceled(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Client._post_jobs

    async def stop(client: Client, *arguments: Any) -> None:
        monkeypatch.setattr(Client, "_post_jobs", post)
        await post(client, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Client, "_post_jobs", stop)
    script.replies = [QUEUED]
    with Client(script.url) as client, pytest.raises(KeyboardInterrupt):
        client.run("bells")
    assert_submitted_once_and_canceled(script)


def test_a_task_that_is_canceled_before_it_knows_its_job_cancels_it(script: Script) -> None:
    release = threading.Event()

    def reply(asked: Asked) -> Reply:
        if len(script.asked) == 1:
            release.wait(30)
        return QUEUED

    async def main() -> None:
        async with AsyncClient(script.url) as client:
            await cancel_a_run(client, script, "POST")

    script.replies = [reply]
    try:
        asyncio.run(main())
    finally:
        release.set()
    assert_submitted_once_and_canceled(script)


def assert_submitted_once_and_canceled(script: Script) -> None:
    """The same submission was sent twice, the second time to know its job."""
    assert paths(script) == ["POST /jobs", "POST /jobs", "POST /cancel"]
    first, second, _ = script.asked
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


@pytest.fixture
def held(script: Script) -> threading.Event:
    """A server that accepts a job, and holds polls until this is set."""
    release = threading.Event()

    def reply(asked: Asked) -> Reply:
        if asked.method == "GET":
            release.wait(30)
        return QUEUED

    script.replies = [reply]
    return release


async def until_asked(script: Script, method: str) -> None:
    async with asyncio.timeout(5):
        while not any(asked.method == method for asked in script.asked):
            await asyncio.sleep(0.01)


async def cancel_a_run(client: AsyncClient, script: Script, method: str) -> None:
    """Cancels the task of a run as soon as it has sent such a request."""
    task = asyncio.create_task(client.run("bells"))
    await until_asked(script, method)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_task_that_is_canceled_cancels_its_job(script: Script, held: threading.Event) -> None:
    async def main() -> None:
        async with AsyncClient(script.url) as client:
            await cancel_a_run(client, script, "GET")
            assert paths(script)[-1] == "POST /cancel"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.run("bells")
            assert paths(script).count("POST /cancel") == 2

    try:
        asyncio.run(main())
    finally:
        held.set()


def test_a_task_that_is_canceled_again_still_cancels_its_job(script: Script) -> None:
    slow = threading.Event()

    def reply(asked: Asked) -> Reply:
        if asked.method == "GET" or asked.path.endswith("/cancel"):
            slow.wait(5)
        return QUEUED

    script.replies = [reply]

    async def main() -> None:
        async with AsyncClient(script.url) as client:
            task = asyncio.create_task(client.run("bells"))
            await until_asked(script, "GET")
            task.cancel()
            async with asyncio.timeout(5):
                while "POST /cancel" not in paths(script):
                    await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            wire: Any = client._transport.wire
            (canceling,) = wire._finishing
            slow.set()
            await canceling
            assert not wire._finishing

    asyncio.run(main())


def test_a_stream_that_a_task_leaves_is_closed(script: Script) -> None:
    script.replies = [(200, {"Content-Length": "9999"}, event(1, "running"))]

    async def main() -> None:
        script.replies.insert(0, QUEUED)
        async with AsyncClient(script.url) as client:
            job = await client.job(JOB_ID)
            events = job.events()
            assert (await anext(events)).data.status == "running"
            await events.aclose()

    asyncio.run(main())


# Threads and event loops


def test_many_threads_share_a_client(script: Script) -> None:
    script.replies = [(202, {}, job_json())]
    with Client(script.url) as client, ThreadPoolExecutor(16) as threads:
        made = list(threads.map(lambda number: client.submit("bells", seed=number), range(64)))
    assert {job.id for job in made} == {JOB_ID}
    assert sorted(json.loads(asked.body)["seed"] for asked in script.asked) == list(range(64))


def test_a_client_outlives_an_event_loop(script: Script) -> None:
    script.replies = [QUEUED]
    client = AsyncClient(script.url)

    async def main() -> str:
        return (await client.job(JOB_ID)).id

    async def end() -> None:
        await main()
        await client.close()

    assert [asyncio.run(main()) for _ in range(3)] == [JOB_ID] * 3
    wire: Any = client._transport.wire
    assert len(wire._pools) == 1
    asyncio.run(end())
    assert not wire._pools


def test_two_event_loops_share_a_client(script: Script) -> None:
    script.replies = [QUEUED]
    client = AsyncClient(script.url)

    async def main() -> list[str]:
        jobs = await asyncio.gather(*(client.job(JOB_ID) for _ in range(8)))
        return [job.id for job in jobs]

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda _: asyncio.run(main()), range(4)))
    assert found == [[JOB_ID] * 8] * 4


def test_held_polls_keep_no_other_call_waiting(script: Script, held: threading.Event) -> None:
    async def main() -> None:
        async with AsyncClient(script.url) as client:
            script.replies.insert(0, QUEUED)
            job = await client.job(JOB_ID)
            polls = [asyncio.create_task(job.refresh(hold_s=60)) for _ in range(110)]
            async with asyncio.timeout(25):
                while len(script.asked) <= len(polls):
                    await asyncio.sleep(0.01)
                await job.cancel()
            held.set()
            await asyncio.gather(*polls)

    try:
        asyncio.run(main())
    finally:
        held.set()
