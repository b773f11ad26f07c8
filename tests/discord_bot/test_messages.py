"""The texts that the bot sends."""

from collections.abc import Iterator

import pytest

from riffusion.client.models import JobData
from riffusion.discord_bot import messages
from riffusion.errors import (
    InvalidRequest,
    JobError,
    LeaseLost,
    QueueFull,
    RequestError,
    RiffusionError,
    UnavailableError,
    UnreadableMedia,
)
from tests.client.conftest import job_json

# Never sent to a client of the API, impossible for the bot's submissions, or explained with their own message.
NEVER_LOOKED_UP = {
    "lease_lost", "conflict", "forbidden", "idempotency_conflict", "invalid_request", "invalid_signature",
    "unreadable_media",
}  # fmt: skip


def job(status: str, **more: object) -> JobData:
    return JobData.model_validate_json(job_json(status, **more))


def leaves(kind: type[RiffusionError]) -> Iterator[type[RiffusionError]]:
    for child in kind.__subclasses__():
        yield child
        yield from leaves(child)


@pytest.mark.parametrize("kind", [*leaves(JobError), *leaves(UnavailableError), *leaves(RequestError)])
def test_every_error_of_a_server_has_a_sentence(kind: type[RiffusionError]) -> None:
    assert kind.code in messages._MEANING or kind.code in NEVER_LOOKED_UP


def test_an_unknown_code_is_explained_with_the_servers_message() -> None:
    error = RequestError("You are `banned`.")
    error.__dict__["code"] = "brand_new"
    assert messages.explain(error) == "The music server says `You are ˋbannedˋ.`."
    assert messages.explain(LeaseLost("Another has it.")) == "The music server says `Another has it.`."


def test_when_to_try_again() -> None:
    assert ":R>" in messages.explain(QueueFull("full", retry_after=30))
    assert messages.explain(UnavailableError("away", retry_after=0)).endswith("Try again in a minute.")


def test_invalid_fields_are_named() -> None:
    error = InvalidRequest([{"field": "prompt", "message": "is too long"}])
    assert messages.explain(error) == "That can't be made: `prompt: is too long`"
    assert messages.explain(UnreadableMedia("is a text")) == "That file can't be used: `is a text`"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("funk", "`funk`"),
        ("``` @here\n# big", "`ˋˋˋ @here # big`"),
        ("", "`(no prompt)`"),
        ("a" * 301, "`" + "a" * 299 + "…`"),
    ],
)
def test_prompts_are_quoted(text: str, shown: str) -> None:
    assert messages.quoted(text) == shown


@pytest.mark.parametrize(
    ("queue", "said"),
    [
        ({"position": 0, "eta_s": None}, "Next in the queue."),
        ({"position": 1, "eta_s": 12.4}, "1 clip ahead, about 10 s to wait."),
        ({"position": 7, "eta_s": 200.0}, "7 clips ahead, about 3 min to wait."),
        ({"position": 1, "eta_s": None, "paused": True}, "1 clip ahead; the server has paused this model."),
    ],
)
def test_the_place_in_the_queue(queue: dict[str, object], said: str) -> None:
    assert messages.progress(job("queued", queue=queue)) == said


def test_the_steps() -> None:
    assert messages.progress(job("running", progress={"step": 5, "total": 20})) == "`███░░░░░░░░░` step 5 of 20"
    assert messages.progress(job("running")) == "Starting …"


def test_any_number_of_warnings_fits_into_a_message() -> None:
    request = {"prompt": "p" * 2000, "negative_prompt": "n" * 2000, "seed": 2**32 - 1}
    text = messages.clip(job("succeeded", request=request, warnings=["w" * 999] * 12), 2**63)
    assert len(text) < 2000
    assert text.count("\n-# ") == 4
