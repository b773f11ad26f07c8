"""`riffusion batch` on a running service."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings
from tests.cli.conftest import lines
from tests.client.in_process_service import serving

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(settings: Settings) -> Iterator[Run]:
    """Runs `riffusion batch …` on a service, with a key, and without a terminal."""
    key, _ = KeyStore(connect(settings), settings).create("me", UNLIMITED)
    with serving(settings) as url:

        def call(command: str, *arguments: str, given: str = "") -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-m", "riffusion", "batch", command, *arguments, "--url", url],
                input=given, capture_output=True, text=True, check=False, env={**os.environ, "RIFFUSION_KEY": key},
                timeout=60,
            )  # fmt: skip

        yield call


def batch_of(*prompts: str, ids: tuple[str, ...] = ()) -> str:
    requests = [{"mode": "text-to-audio", "prompt": prompt} for prompt in prompts]
    own = [{"id": each} for each in ids] + [{}] * len(prompts)
    return "".join(json.dumps(request | mine) + "\n" for request, mine in zip(requests, own, strict=False))


def submitted(run: Run, text: str) -> str:
    """The id of a batch that was given on standard input."""
    result = run("submit", "-", given=text)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_from_a_file_to_clips(run: Run, tmp_path: Path) -> None:
    (tmp_path / "requests.jsonl").write_text(batch_of("0", "0", ids=("../../one", "two")))
    result = run("submit", str(tmp_path / "requests.jsonl"))
    assert (result.returncode, result.stderr) == (0, "2 requests for the model 'tiny'\n")
    batch_id = result.stdout.strip()

    waited = run("wait", batch_id)
    assert (waited.returncode, waited.stderr) == (0, "")  # no terminal, no bar
    assert waited.stdout.startswith(f"{batch_id}  ")
    assert waited.stdout.endswith("completed  2 of 2 ended: 2 succeeded, 0 failed\n")

    printed = lines(run("results", batch_id).stdout)
    assert [(each["line"], each["id"], each["status"]) for each in printed] == [
        (1, "../../one", "succeeded"), (2, "two", "succeeded")
    ]  # fmt: skip
    folder = tmp_path / "clips"
    saved = run("results", batch_id, "-o", str(folder))
    assert saved.returncode == 0, saved.stderr
    assert saved.stdout.splitlines() == [str(folder / "00001-_one.mp3"), str(folder / "00002-two.mp3")]
    assert sorted(each.name for each in folder.iterdir()) == [
        "00001-_one.mp3", "00001-_one.png", "00002-two.mp3", "00002-two.png"
    ]  # fmt: skip


def test_what_has_no_clip_is_said(run: Run, tmp_path: Path) -> None:
    batch_id = submitted(run, batch_of("refuse", "0", "60"))
    waiting = run("results", batch_id, "-o", str(tmp_path))
    assert waiting.returncode == 1
    assert "riffusion: line 3: it is " in waiting.stderr
    canceled = run("cancel", batch_id)
    assert canceled.returncode == 0
    assert "  canceled   3 of 3 ended: " in canceled.stdout
    assert run("wait", batch_id).returncode == 1
    ended = run("results", batch_id, "-o", str(tmp_path))
    assert ended.returncode == 1
    assert "riffusion: line 3: Line 3 of the batch was canceled.\n" in ended.stderr
    assert run("results", batch_id).returncode == 0


def test_a_folder_that_cannot_be_written_is_said_in_a_line(run: Run, tmp_path: Path) -> None:
    batch_id = submitted(run, batch_of("0"))
    assert run("wait", batch_id).returncode == 0
    (tmp_path / "file").touch()
    refused = run("results", batch_id, "-o", str(tmp_path / "file" / "clips"))
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Error: Could not open file '{tmp_path}/file/clips'")


def test_no_control_character_of_a_file_reaches_the_terminal(run: Run) -> None:
    refused = run("submit", "-", given='{"mode": "text-to-audio", "prompt": "0", "\\u0007\\u009b2J\\u202e": 1}\n')
    assert refused.returncode == 2
    assert refused.stderr.startswith(r"riffusion: lines.1.\x07\x9b2J\u202e: ")


def test_found_again_and_deleted(run: Run) -> None:
    batch_id = submitted(run, batch_of("0"))
    for command in (["list"], ["show", batch_id]):
        assert run(*command).stdout.startswith(f"{batch_id}  ")
        (shown,) = lines(run(*command, "--json").stdout)
        assert (shown["id"], shown["total"]) == (batch_id, 1)
    assert run("delete", batch_id).returncode == 0
    gone = run("show", batch_id)
    assert (gone.returncode, gone.stderr) == (1, f"riffusion: Batch {batch_id} has expired or was deleted.\n")
    assert run("list").stdout == ""


def test_a_request_that_is_refused_is_named_by_its_line(run: Run) -> None:
    refused = run("submit", "-", given=batch_of("0") + '{"mode": "text-to-audio", "prompt": "0", "steps": 999}\n')
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("riffusion: lines.2.steps: ")
