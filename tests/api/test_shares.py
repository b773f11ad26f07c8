"""A published clip: JSON, files and page, for anyone."""

from typing import Any

import pytest

from tests.api.conftest import Client, Worker, submit


@pytest.fixture
def job(client: Client, worker: Worker) -> dict[str, Any]:
    """A job that has succeeded, made from an earlier one."""
    first = submit(client)
    worker.succeed(worker.claim())
    made = submit(client, mode="riff", init={"job": first["id"]}, prompt="bells & <b>brass</b>")
    worker.succeed(worker.claim())
    return made


def test_anyone_with_the_share_id_sees_the_clip_but_not_the_job(
    client: Client, stranger: Client, job: dict[str, Any]
) -> None:
    published = client.post(f"/jobs/{job['id']}/publish")
    assert published.status_code == 201
    share = published.json
    assert published.headers["Location"] == share["url"] == f"http://localhost/clips/{share['id']}"
    clip = stranger.get(f"/clips/{share['id']}.json")
    assert clip.json["request"]["prompt"] == job["request"]["prompt"]
    assert clip.json["duration_s"] == 5.11
    page = stranger.get(f"/clips/{share['id']}")
    for response in (clip, page):
        assert job["id"] not in response.text
        assert job["request"]["init"]["job"] not in response.text


def test_its_files_have_permanent_addresses(client: Client, stranger: Client, job: dict[str, Any]) -> None:
    share_id = client.post(f"/jobs/{job['id']}/publish").json["id"]
    clip = stranger.get(f"/clips/{share_id}.json").json
    for url, content_type in ((clip["image_url"], "image/png"), (clip["audio_url"], "audio/wav")):
        sent_on = stranger.get(url)
        assert sent_on.status_code == 302
        assert stranger.get(sent_on.headers["Location"]).content_type == content_type
    missing = stranger.get(f"/clips/{share_id}/clip.mp3")
    assert (missing.status_code, missing.json["code"]) == (404, "not_found")


def test_its_page_unfurls_with_picture_and_sound(client: Client, stranger: Client, job: dict[str, Any]) -> None:
    share_id = client.post(f"/jobs/{job['id']}/publish").json["id"]
    page = stranger.get(f"/clips/{share_id}")
    assert page.status_code == 200
    assert f'<meta property="og:image" content="http://localhost/clips/{share_id}/clip.png">' in page.text
    assert f'<meta property="og:audio" content="http://localhost/clips/{share_id}/clip.wav">' in page.text
    assert '<meta property="og:audio:type" content="audio/wav">' in page.text
    assert '<meta property="og:title" content="bells &amp; &lt;b&gt;brass&lt;/b&gt;">' in page.text
    assert "<b>" not in page.text


def test_a_clip_that_is_not_published_has_a_page_that_says_so(
    client: Client, stranger: Client, job: dict[str, Any]
) -> None:
    share_id = client.post(f"/jobs/{job['id']}/publish").json["id"]
    client.delete(f"/jobs/{job['id']}")
    assert stranger.get(f"/clips/{share_id}").status_code == 410
    assert stranger.get(f"/clips/{share_id}.json").json["code"] == "gone"
    unknown = stranger.get("/clips/nothing")
    assert (unknown.status_code, unknown.mimetype) == (404, "text/html")
    assert "never published" in unknown.text


def test_a_job_without_a_clip_is_not_published(client: Client) -> None:
    refused = client.post(f"/jobs/{submit(client)['id']}/publish")
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_reference")
