"""The playground with files in S3, at an origin of its own."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.conftest import play, run, until
from tests.conftest import S3Server


def test_clips_come_from_the_bucket(tmp_path: Path, s3_server: S3Server, visit: Callable[..., Page]) -> None:
    keys = {"s3_access_key": s3_server.access_key, "s3_secret_key": s3_server.secret_key}
    bucket = {"storage": "s3", "s3_endpoint": s3_server.endpoint, "s3_bucket": s3_server.bucket}
    with run(tmp_path, worker=True, **bucket, **keys) as site:
        page = visit(f"{site.url}/", s3_server.endpoint)
        with page.expect_response(re.compile(rf"{re.escape(s3_server.endpoint)}.*\.mp3")):
            play(page)
        until(page, "peak() > 0.02")

        page.click("[data-verb=share]")
        page.click("#publish [value=publish]")
        page.wait_for_selector("#share[open]")
        guest = visit(page.input_value("#share-link"), s3_server.endpoint)
        guest.wait_for_selector(".spectrogram:not(.empty)")
        guest.evaluate("document.querySelector('audio').play()")
        until(guest, "document.querySelector('audio').currentTime > 0.3")
