"""JSON bodies: strict, of one content type, limited in size."""

import pytest
from werkzeug.exceptions import BadRequest

from api.json_body import parse_json
from riffusion.settings import Settings
from tests.api.conftest import PROBLEM, Client


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b'{"mode": ', "not JSON"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"a": ' + b"9" * 5000 + b"}", "too many digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "not JSON"),
        (b"{" + b",".join(b'"%d":0' % number for number in range(65)) + b"}", "more than 64 keys"),
        (b'[{"mask": {' + b",".join(b'"%d":0' % number for number in range(65)) + b"}}]", "more than 64 keys"),
    ],
)
def test_json_that_is_not_strict_is_refused_with_the_reason(body: bytes, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        parse_json(body)


def test_strict_json_is_read() -> None:
    assert parse_json('{"a": [1, 2.5, "ö", null, true]}'.encode()) == {"a": [1, 2.5, "ö", None, True]}


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None,
                                          "application/json; charset=utf-16"])  # fmt: skip
def test_another_content_type_is_refused(client: Client, content_type: str | None) -> None:
    response = client.post("/jobs", data=b"{}", content_type=content_type)
    assert (response.status_code, response.content_type) == (415, PROBLEM)
    assert response.json["code"] == "unsupported_media_type"


def test_a_body_over_the_limit_is_refused(client: Client, settings: Settings) -> None:
    for size, status in ((settings.max_body_bytes, 400), (settings.max_body_bytes + 1, 413)):
        response = client.post("/jobs", data=b" " * size, content_type="application/json")
        assert response.status_code == status
    assert response.json["code"] == "body_too_large"
