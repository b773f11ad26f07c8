"""`riffusion clips`, as operators see it."""

from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import TakenDown
from riffusion.jobs.moderation import Moderation
from riffusion.jobs.reports import ReportReason
from riffusion.jobs.shares import ShareStore
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.jobs.conftest import run, submit

Command = Callable[..., str]


@pytest.fixture
def shares(redis: Redis, store: JobStore, settings: Settings) -> ShareStore:
    return ShareStore(redis, store, settings)


@pytest.fixture
def moderation(redis: Redis, settings: Settings) -> Moderation:
    return Moderation(redis, settings)


@pytest.fixture
def clip(store: JobStore, shares: ShareStore) -> str:
    """The share id of a published clip."""
    submit(store, text="bells \x1b[31m<b>")
    return shares.publish(run(store).id)


def test_a_clip_is_listed_reported_taken_down_and_restored(
    command: Command, noted: Command, moderation: Moderation, shares: ShareStore, clip: str
) -> None:
    moderation.reports.add(clip, ReportReason.RIGHTS, "my \x1b[2Jsong", ("address:192.0.2.7",))
    (shown,) = lines(command("clips", "reports", "--json"))
    assert (shown["id"], shown["reports"]["reasons"]) == (clip, {"rights": 1})
    text = command("clips", "reports")
    assert "1 rights" in text
    assert "my" in text
    assert "\x1b" not in text
    warning = noted("clips", "takedown", f"http://127.0.0.1:8000/clips/{clip}", "--reason", "It is Ann's.")
    assert f"riffusion jobs purge {shown['job']}" in warning
    with pytest.raises(TakenDown, match=r"It is Ann's\."):
        shares.get(clip)
    assert command("clips", "reports") == ""
    assert "taken down" in command("clips", "list")
    (takedown,) = lines(command("clips", "list", "--taken-down", "--json"))
    assert (takedown["share_id"], takedown["reason"]) == (clip, "It is Ann's.")
    command("clips", "restore", clip)
    assert shares.get(clip).id == shown["job"]
    assert [entry["action"] for entry in lines(command("audit", "--json"))] == ["clip.restore", "clip.takedown"]


def test_only_listed_clips_can_be_asked_for(
    command: Command, moderation: Moderation, shares: ShareStore, clip: str
) -> None:
    assert command("clips", "list", "--listed") == ""
    moderation.clips.add(shares.get(clip).id)
    (shown,) = lines(command("clips", "list", "--listed", "--json"))
    assert (shown["id"], shown["listed"]) == (clip, True)


def test_dismissed_reports_are_off_the_list(command: Command, moderation: Moderation, clip: str) -> None:
    moderation.reports.add(clip, ReportReason.SPAM, "", ("address:192.0.2.7",))
    command("clips", "dismiss", clip)
    assert command("clips", "reports") == ""


def test_what_changes_nothing_is_not_written_down(command: Command, noted: Command, clip: str) -> None:
    assert "isn't taken down" in noted("clips", "restore", clip, status=1)
    assert "never published" in noted("clips", "takedown", "nothing", "--reason", "x", status=1)
    assert "neither a share id" in noted("clips", "dismiss", "http://example.org/", status=2)
    assert lines(command("audit", "--json")) == []


@pytest.mark.parametrize("clip", ["-sUSHK2H2l9ntk_huaw4jQ", "--USHK2H2l9ntk_huaw4jQ"])
@pytest.mark.parametrize("action", [["takedown", "--reason", "x"], ["restore"], ["dismiss"]])
def test_a_share_id_may_begin_with_a_dash(command: Command, action: list[str], clip: str) -> None:
    command("clips", *action, clip, status=1)  # there is none; 2 would be an option that can't be read
