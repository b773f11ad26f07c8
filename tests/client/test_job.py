"""A job of the client: waiting, following, downloading."""

import json
from pathlib import Path
from typing import Any

import pytest

from riffusion.client import Client, Job
from riffusion.errors import JobError, RequestError, UnavailableError, WorkerLost
from tests.client.conftest import HANG_UP, JOB_ID, Asked, Reply, Script, job_json


def state(status: str, tag: str = "", **more: Any) -> Reply:
    return 200, {"ETag": f'W/"{tag}"'} if tag else {}, job_json(status, **more)


def events(*states: Reply) -> Reply:
    text = "retry: 2000\n\n: still here\n\n"
    for number, (_, _, data) in enumerate(states, 1):
        text += f"event: job\nid: {number}\ndata: {data}\n\n"
    return 200, {"Content-Type": "text/event-stream"}, text


@pytest.fixture
def job(script: Script) -> Job:
    script.replies = [state("queued", tag="1")]
    job = Client(script.url, retry_for_s=3).job(JOB_ID)
    script.asked.clear()
    return job


def test_waiting_asks_for_changes_only(script: Script, job: Job) -> None:
    seen = []
    script.replies = [
        state("running", tag="2", progress={"step": 1, "total": 2}), (304, {}, ""), HANG_UP, state("succeeded", tag="4")
    ]  # fmt: skip
    assert job.wait(progress=lambda now: seen.append(now.status)).ended
    assert seen == ["running", "succeeded"]
    assert [asked.headers.get("If-None-Match") for asked in script.asked] == [None, 'W/"2"', 'W/"2"', 'W/"2"']
    assert all(asked.headers["Prefer"].startswith("wait=") for asked in script.asked)


def test_a_preview_is_fetched_while_there_is_one(script: Script, job: Job) -> None:
    assert job.preview() is None
    assert not script.asked
    preview = {"url": f"{script.url}/jobs/{JOB_ID}/preview", "number": 1}
    script.replies = [state("running", preview=preview), (200, {"Content-Type": "image/webp"}, "picture")]
    job.refresh()
    assert job.preview() == b"picture"
    script.replies = [(404, {}, json.dumps({"code": "not_found", "detail": "It has ended."}))]
    assert job.preview() is None


@pytest.mark.parametrize(("code", "kind"), [("worker_lost", WorkerLost), ("brand_new", JobError)])
def test_waiting_for_a_failed_job_raises_why(script: Script, job: Job, code: str, kind: type[JobError]) -> None:
    script.replies = [state("failed", error={"code": code, "detail": "It broke."})]
    with pytest.raises(kind, match="It broke") as caught:
        job.wait()
    assert caught.value.code == code


def test_waiting_ends_at_its_limit(script: Script, job: Job) -> None:
    script.replies = [(304, {}, "")]
    with pytest.raises(TimeoutError, match="still queued"):
        job.wait(timeout_s=0.1)


def test_following_resumes_a_broken_stream(script: Script, job: Job) -> None:
    script.replies = [
        events(state("queued"), state("running", progress={"step": 1, "total": 2})), HANG_UP, events(state("succeeded"))
    ]  # fmt: skip
    assert [event.data.status for event in job.events()] == ["queued", "running", "succeeded"]
    assert [asked.headers.get("Last-Event-ID") for asked in script.asked] == [None, "2", "2"]


def test_following_ends_after_the_callers_retries(script: Script, job: Job) -> None:
    script.replies = [HANG_UP]
    with pytest.raises(UnavailableError):
        list(job.events())


def test_cancel(script: Script, job: Job) -> None:
    script.replies = [state("canceled", error={"code": "canceled", "detail": "Canceled."})]
    assert job.cancel().status == "canceled"
    assert (script.asked[0].method, script.asked[0].path) == ("POST", f"/jobs/{JOB_ID}/cancel")


def done(script: Script) -> Reply:
    until = "2026-11-29T05:00:00Z"
    image = {"url": f"{script.url}/files/image", "expires_at": until, "width": 512, "height": 512, "bytes": 5}
    audio = {
        "url": f"{script.url}/files/audio", "expires_at": until, "duration_s": 5.1, "sample_rate": 44100, "channels": 1,
        "format": "flac", "bytes": 5,
    }  # fmt: skip
    return state("succeeded", result={"image": image, "audio": audio})


def serve(script: Script, audio_status: int = 200) -> None:
    def reply(asked: Asked) -> Reply:
        if asked.path.startswith("/files/audio"):
            return audio_status, {}, "audio"
        return (200, {}, "image") if asked.path.startswith("/files/") else done(script)

    script.replies = [reply]


def test_download(script: Script, job: Job, tmp_path: Path) -> None:
    serve(script)
    job.refresh()
    saved = job.download(tmp_path / "new folder", name="v1.5")
    assert (saved.image, saved.audio) == (tmp_path / "new folder/v1.5.png", tmp_path / "new folder/v1.5.flac")
    assert (saved.image.read_text(), saved.audio.read_text()) == ("image", "audio")
    assert len(list(saved.image.parent.iterdir())) == 2


def test_a_failed_download_leaves_no_partial_file(script: Script, job: Job, tmp_path: Path) -> None:
    serve(script, audio_status=404)
    job.refresh()
    with pytest.raises(RequestError):
        job.download(tmp_path, name="clip")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.png"]


def test_a_job_without_a_result_has_no_files(job: Job, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="queued"):
        job.download(tmp_path)
