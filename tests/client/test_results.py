"""Files of a job: as bytes, as file objects, as URLs, saved."""

import json
from pathlib import Path
from typing import Any

import pytest

from riffusion.client import Client, Job
from riffusion.errors import Gone, RequestError
from tests.client.conftest import JOB_ID, Asked, Reply, Script, job_json

EXPIRED: Reply = (410, {}, json.dumps({"code": "gone", "detail": "The link has expired."}))
DENIED: Reply = (403, {}, "<Error><Code>AccessDenied</Code></Error>")
CUT: Reply = (200, {"Content-Length": "100", "Connection": "close"}, "half of it")


def succeeded(script: Script, link: str = "1", **audio: Any) -> str:
    until = {"expires_at": "2026-11-29T05:00:00Z", "bytes": 5}
    sound = {"url": f"{script.url}/files/audio?{link}", "duration_s": 5.1, "sample_rate": 44100, "channels": 1} | until
    image = {"url": f"{script.url}/files/image?{link}", "width": 512, "height": 512} | until
    return job_json("succeeded", result={"image": image, "audio": {**sound, "format": "flac", **audio}})


@pytest.fixture
def files(script: Script) -> dict[str, list[Reply]]:
    """The replies for each address, in order; the last one is repeated."""
    replies: dict[str, list[Reply]] = {
        f"/jobs/{JOB_ID}": [(200, {"ETag": 'W/"1"'}, succeeded(script))],
        "/files/audio?1": [(200, {}, "audio")],
        "/files/image?1": [(200, {}, "image")],
    }

    def reply(asked: Asked) -> Reply:
        left = replies[asked.path]
        return left.pop(0) if len(left) > 1 else left[0]

    script.replies = [reply]
    return replies


@pytest.fixture
def job(script: Script, files: dict[str, list[Reply]]) -> Job:
    return Client(script.url, "key").job(JOB_ID)


def test_bytes_file_objects_and_urls(script: Script, job: Job) -> None:
    assert (job.audio.read(), job.image.read()) == (b"audio", b"image")
    with job.audio.open() as file:
        assert (file.read(), file.name) == (b"audio", f"{JOB_ID[:12]}.flac")
    assert job.image.url == f"{script.url}/files/image?1"
    assert (job.audio.format, job.image.format, job.result.audio.duration_s) == ("flac", "png", 5.1)


def test_the_suffix_chooses_what_is_saved(job: Job, tmp_path: Path) -> None:
    assert job.save(tmp_path / "new" / "clip.FLAC").read_bytes() == b"audio"
    assert job.save(str(tmp_path / "clip.png")).read_bytes() == b"image"
    for wrong in ("clip.mp3", "clip"):
        with pytest.raises(RequestError, match=r"sound is flac.*`format`"):
            job.save(tmp_path / wrong)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["clip.FLAC", "clip.png", "new"]


@pytest.mark.parametrize("refusal", [EXPIRED, DENIED, (404, {}, "")])
def test_an_expired_link_is_fetched_again(
    script: Script, files: dict[str, list[Reply]], job: Job, refusal: Reply
) -> None:
    files["/files/audio?1"] = [refusal]
    files["/files/audio?2"] = [(200, {}, "audio")]
    files[f"/jobs/{JOB_ID}"] = [(200, {"ETag": 'W/"2"'}, succeeded(script, "2"))]
    assert job.audio.read() == b"audio"
    assert job.audio.url.endswith("?2")


def test_a_file_that_is_gone_is_an_error(files: dict[str, list[Reply]], job: Job) -> None:
    files["/files/audio?1"] = [EXPIRED]
    files[f"/jobs/{JOB_ID}"] = [(304, {}, "")]
    with pytest.raises(Gone, match="expired"):
        job.audio.read()
    files[f"/jobs/{JOB_ID}"] = [(410, {}, json.dumps({"code": "gone", "detail": "The job was deleted."}))]
    with pytest.raises(Gone, match="deleted"):
        job.audio.read()


def test_a_file_that_is_cut_short_is_fetched_again(files: dict[str, list[Reply]], job: Job, tmp_path: Path) -> None:
    files["/files/audio?1"] = [CUT, (200, {}, "audio")]
    assert job.save(tmp_path / "clip.flac").read_text() == "audio"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://a\x00b", "javascript:alert(1)"])
def test_an_address_that_is_none_of_the_web_is_not_fetched(
    script: Script, files: dict[str, list[Reply]], url: str
) -> None:
    files[f"/jobs/{JOB_ID}"] = [(200, {}, succeeded(script, url=url))]
    with Client(script.url) as client, pytest.raises(RequestError, match="address"):
        client.job(JOB_ID).audio.read()


def test_a_format_can_not_lead_out_of_the_folder(script: Script, files: dict[str, list[Reply]], tmp_path: Path) -> None:
    files[f"/jobs/{JOB_ID}"] = [(200, {}, succeeded(script, format="x/../../../evil"))]
    with Client(script.url) as client, pytest.raises((RequestError, ValueError)):
        client.job(JOB_ID).download(tmp_path / "clips")
    assert not (tmp_path / "evil").exists()
