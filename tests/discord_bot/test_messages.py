"""What the bot says."""

from collections.abc import Iterator

import pytest

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

# Raised where no client of the API sees them, or in the bot's own submissions impossible.
NEVER_HEARD = {"lease_lost", "idempotency_conflict", "invalid_request", "unreadable_media"}


def leaves(kind: type[RiffusionError]) -> Iterator[type[RiffusionError]]:
    for child in kind.__subclasses__():
        yield child
        yield from leaves(child)


@pytest.mark.parametrize("kind", [*leaves(JobError), *leaves(UnavailableError), *leaves(RequestError)])
def test_every_error_of_a_server_has_a_sentence(kind: type[RiffusionError]) -> None:
    assert kind.code in messages._MEANING or kind.code in NEVER_HEARD


def test_an_unknown_code_is_explained_in_the_servers_words() -> None:
    error = RequestError("You are `banned`.")
    error.__dict__["code"] = "brand_new"
    assert messages.sorry(error) == "The server says `You are ˋbannedˋ.`."
    assert messages.sorry(LeaseLost("Another has it.")) == "The server says `Another has it.`."


def test_when_to_come_back() -> None:
    assert ":R>" in messages.sorry(QueueFull("full", retry_after=30))
    assert messages.sorry(UnavailableError("away", retry_after=0)).endswith("Try again in a minute.")


def test_faults_are_named() -> None:
    error = InvalidRequest([{"field": "prompt", "message": "is too long"}])
    assert messages.sorry(error) == "That can't be made: `prompt: is too long`"
    assert messages.sorry(UnreadableMedia("is a text")) == "That file can't be used: `is a text`"


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
    ],
)
def test_the_place_in_the_queue(queue: dict[str, object], said: str) -> None:
    assert messages.progress({"status": "queued", "queue": queue}) == said


def test_the_steps() -> None:
    running = {"status": "running", "progress": {"step": 5, "total": 20}}
    assert messages.progress(running) == "`███░░░░░░░░░` step 5 of 20"
    assert messages.progress({"status": "running", "progress": None}) == "Starting …"
