"""Files of the local storage behind signed links."""

from urllib.parse import urlsplit

import pytest

from api.app import create_app
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, Client, wav


def test_a_link_opens_the_file(client: Client, link: str) -> None:
    response = client.get(link)
    assert (response.status_code, response.data) == (200, wav(5.11))
    assert response.content_type == "audio/wav"
    assert "text-to-audio-" in response.headers["Content-Disposition"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_part_of_a_file_is_sent(client: Client, link: str) -> None:
    response = client.get(link, headers={"Range": "bytes=4-11"})
    assert (response.status_code, response.data) == (206, wav(5.11)[4:12])
    assert response.headers["Content-Range"] == f"bytes 4-11/{len(wav(5.11))}"


def test_a_part_that_is_not_there_is_refused(client: Client, link: str) -> None:
    response = client.get(link, headers={"Range": "bytes=99999999-"})
    assert (response.status_code, response.content_type) == (416, PROBLEM)
    assert response.headers["Content-Range"] == f"bytes */{len(wav(5.11))}"


def test_a_known_file_is_not_sent_again(client: Client, link: str) -> None:
    tag = client.get(link).headers["ETag"]
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("old", "new"),
    [("signature=", "signature=0"), ("expires=", "expires=9"), ("clip.wav", "clip.png"), ("/results", "/../results"),
     ("?", "?x=")],
)  # fmt: skip
def test_a_link_that_was_touched_opens_nothing(client: Client, link: str, old: str, new: str) -> None:
    assert old in link
    assert client.get(link.replace(old, new, 1)).status_code in {404, 410}


def test_without_its_signature_a_file_is_not_there(client: Client, link: str) -> None:
    assert client.get(urlsplit(link).path).status_code == 404


def test_with_s3_there_are_no_files_here(s3_settings: Settings) -> None:
    assert Client(create_app(s3_settings)).get("/files/results/x").status_code == 404
