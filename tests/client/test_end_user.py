"""One client on behalf of many people."""

import pytest

from riffusion.client import Client
from riffusion.errors import InvalidRequest
from riffusion.requests.modes.text_to_audio import TextToAudio
from tests.client.conftest import Reply, Script, job_json

QUEUED: Reply = (202, {}, job_json())


def test_requests_are_made_on_behalf_of_the_end_user(script: Script) -> None:
    script.replies = [QUEUED]
    with Client(script.url, "key") as client:
        client.for_end_user("discord:1").submit(TextToAudio(prompt="funk"))
        client.for_end_user("discord:2").job("a" * 22).refresh()
        client.submit(TextToAudio(prompt="funk"))
    seen = [asked.headers.get("Riffusion-End-User") for asked in script.asked]
    assert seen == ["discord:1", "discord:2", "discord:2", None]
    assert all(asked.headers["Authorization"] == "Bearer key" for asked in script.asked)


def test_a_name_that_no_header_can_hold_is_refused_as_the_server_would(script: Script) -> None:
    with Client(script.url, "key") as client, pytest.raises(InvalidRequest) as refusal:
        client.for_end_user("Zoë").submit(TextToAudio(prompt="funk"))
    assert [each["field"] for each in refusal.value.fields] == ["Riffusion-End-User"]
    assert not script.asked


def test_a_key_that_the_caller_chose_is_sent(script: Script) -> None:
    script.replies = [QUEUED]
    with Client(script.url) as client:
        client.submit(TextToAudio(prompt="funk"), idempotency_key="chosen-1")
        client.submit(TextToAudio(prompt="funk"))
    chosen, drawn = [asked.headers["Idempotency-Key"] for asked in script.asked]
    assert chosen == "chosen-1"
    assert drawn != chosen
