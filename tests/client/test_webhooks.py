"""Webhooks are accepted if the server has signed them, lately."""

import base64
import json
import time
from email.message import Message as MimeHeaders
from typing import Any

import pytest
import werkzeug.datastructures

from riffusion.client import webhooks
from riffusion.errors import InvalidSignature, RiffusionError, SetupError
from riffusion.jobs.webhooks.signature import signed_headers
from tests.client.conftest import JOB_ID, job_json

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
BODY = json.dumps(
    {"type": "job.succeeded", "timestamp": "2026-11-29T04:00:00Z", "data": json.loads(job_json("succeeded")), "new": 1}
).encode()


def sign(body: bytes = BODY, *secrets: str, age_s: float = 0) -> dict[str, str]:
    return signed_headers(JOB_ID, int(time.time() - age_s), body, *(secrets or (SECRET,)))


def test_a_signed_message_is_the_job() -> None:
    message = webhooks.unwrap(BODY, sign(), SECRET)
    assert (message.id, message.type, message.data.id, message.data.status) == (
        JOB_ID, "job.succeeded", JOB_ID, "succeeded"
    )  # fmt: skip
    assert message.timestamp.year == 2026


@pytest.mark.parametrize("kind", [dict, werkzeug.datastructures.Headers, "mime", "upper"])
def test_headers_of_any_framework(kind: Any) -> None:
    given = sign()
    if kind == "upper":
        headers: Any = {name.upper(): value for name, value in given.items()}
    elif kind == "mime":
        headers = MimeHeaders()
        for name, value in given.items():
            headers[name.title()] = value
    else:
        headers = kind(given)
    assert webhooks.unwrap(BODY.decode(), headers, SECRET + "\n").data.id == JOB_ID


def test_of_two_secrets_one_is_enough() -> None:
    assert webhooks.unwrap(BODY, sign(BODY, OTHER, SECRET), SECRET).data.id == JOB_ID


@pytest.mark.parametrize("age_s", [301, 86_400, -301])
def test_what_is_not_of_now_is_refused(age_s: float) -> None:
    with pytest.raises(InvalidSignature, match="five minutes"):
        webhooks.unwrap(BODY, sign(age_s=age_s), SECRET)


@pytest.mark.parametrize(
    "changed",
    [
        {"webhook-id": "b" * 22},
        {"webhook-timestamp": str(int(time.time()) + 10_000)},
        {"webhook-timestamp": "nan"},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,é \udce9"},
        {"webhook-id": "\ud800"},
    ],
)
def test_what_somebody_changed_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(InvalidSignature, match="signature"):
        webhooks.unwrap(BODY, sign() | changed, SECRET)


def test_another_body_another_secret_and_no_headers_are_refused() -> None:
    with pytest.raises(InvalidSignature):
        webhooks.unwrap(BODY + b" ", sign(), SECRET)
    with pytest.raises(InvalidSignature):
        webhooks.unwrap(BODY, sign(), OTHER)
    with pytest.raises(InvalidSignature, match="webhook-id"):
        webhooks.unwrap(BODY, {}, SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_???", "my secret"])
def test_a_secret_that_is_none_is_the_operators_to_correct(secret: str) -> None:
    with pytest.raises(SetupError, match="whsec_"):
        webhooks.unwrap(BODY, sign(), secret)


def test_a_signed_message_about_something_else_is_an_error_of_this_tree() -> None:
    body = b'{"type": "key.expired"}'
    with pytest.raises(RiffusionError, match="can't read"):
        webhooks.unwrap(body, sign(body), SECRET)
