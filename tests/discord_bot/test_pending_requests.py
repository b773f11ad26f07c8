"""Requests that have no reply yet."""

import sqlite3
from pathlib import Path

from riffusion.discord_bot.pending_requests import PendingRequest, PendingRequestStore
from riffusion.requests import AnyRequest, InterpolationEnd, JobResult
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.requests.modes.riff import Riff
from riffusion.requests.modes.text_to_audio import TextToAudio

REQUESTS: tuple[AnyRequest, ...] = (
    TextToAudio(prompt="funk", seed=1),
    Riff(prompt="funk", init=JobResult(job="a" * 32)),
    Interpolate(start=InterpolationEnd(prompt="a"), end=InterpolationEnd(prompt="b"), alpha=0.5),
)


def pending_request(number: int, request: AnyRequest) -> PendingRequest:
    return PendingRequest(
        id=f"discord-{number}", request=request, user=1, guild=None, channel=2, message=3, token="t", asked_at=4.5,
        file_limit=5,
    )  # fmt: skip


def test_requests_survive_a_restart(tmp_path: Path) -> None:
    pending = [pending_request(number, request) for number, request in enumerate(REQUESTS)]
    store = PendingRequestStore(tmp_path / "data" / "pending")
    for each in pending:
        store.add(each)
    store.close()
    store = PendingRequestStore(tmp_path / "data" / "pending")
    assert store.all() == pending
    store.remove(pending[1])
    assert store.all() == [pending[0], pending[2]]


def test_requests_stored_under_the_tables_former_name_are_resumed(tmp_path: Path) -> None:
    pending = pending_request(1, TextToAudio(prompt="funk"))
    database = sqlite3.connect(tmp_path / "pending", isolation_level=None)
    database.execute("CREATE TABLE orders (id TEXT PRIMARY KEY, data TEXT NOT NULL)")
    database.execute("INSERT INTO orders VALUES (?, ?)", (pending.id, pending.model_dump_json()))
    database.close()
    assert PendingRequestStore(tmp_path / "pending").all() == [pending]


def test_a_request_of_another_version_does_not_keep_the_bot_from_starting(tmp_path: Path) -> None:
    store = PendingRequestStore(tmp_path / "pending")
    store.add(pending_request(1, TextToAudio(prompt="funk")))
    store._database.execute("UPDATE pending_requests SET data = '{}'")
    store.add(good := pending_request(2, TextToAudio(prompt="funk")))
    assert store.all() == [good]


def test_only_its_owner_reads_the_tokens(tmp_path: Path) -> None:
    PendingRequestStore(tmp_path / "pending").close()
    assert (tmp_path / "pending").stat().st_mode & 0o777 == 0o600
