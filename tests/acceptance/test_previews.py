"""The picture of a job, seen through the real processes while it is painted, and gone afterwards."""

import io

import httpx
from PIL import Image

from riffusion.requests import parse
from tests.acceptance.conftest import Stack, http

SLOW = parse({"mode": "text-to-audio", "prompt": "church bells", "steps": 150, "seed": 1})


def test_a_preview_is_seen_before_the_job_ends_and_is_gone_afterwards(stack: Stack) -> None:
    job = stack.client.submit(SLOW)
    seen = {}
    for event in job.events(previews=True):
        if event.preview:
            assert event.data.preview
            seen[event.data.preview.number] = event.preview
    assert job.status == "succeeded"
    assert seen
    for webp in seen.values():
        assert len(webp) <= 10_000
        picture = Image.open(io.BytesIO(webp))
        assert (picture.format, picture.size) == ("WEBP", (256, 256))
    assert job.data.preview is None
    assert job.preview() is None
    assert http.get(f"{stack.url}/jobs/{job.id}/preview").status_code == httpx.codes.NOT_FOUND
