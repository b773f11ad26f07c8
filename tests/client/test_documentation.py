"""The examples of docs/client.md run, from the first to the last."""

import json
import re
import runpy
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riffusion.generate import Clip, Control
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.jobs.webhooks.signature import signed_headers
from riffusion.requests import AnyRequest
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.api.conftest import png
from tests.client.conftest import JOB_ID, job_json
from tests.client.in_process_service import serving
from tests.worker.cheap import CheapGenerator

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
SERVER = "http://127.0.0.1:8000"


class AnyPrompt(CheapGenerator):
    """Takes as good as no time whatever the prompt says, and makes a picture that can be uploaded."""

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        clip = super().run(TextToAudio(prompt="0.2", format=request.format), inputs, control)
        return replace(clip, png=png())


def test_the_examples_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE))
    folder = tmp_path / "user"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("RIFFUSION_KEY", KeyStore(connect(settings), settings).create("me", UNLIMITED)[0])
    with serving(settings, AnyPrompt()) as url:
        (folder / "examples.py").write_text(examples.replace(SERVER, url))
        names = runpy.run_path("examples.py")
    assert {path.name for path in folder.rglob("*.*")} == {
        "bells.mp3", "bells.png", "bells.wav", "bell-0.mp3", "bell-1.mp3", "bell-2.mp3", "first.mp3", "loop.mp3",
        "examples.py",
    }  # fmt: skip
    assert "'field': 'steps'" in capsys.readouterr().out
    check_the_receiver(names)


def check_the_receiver(names: dict[str, Any]) -> None:
    receiver, secret = names["app"].test_client(), names["SECRET"]
    body = {"type": "job.succeeded", "timestamp": "2026-11-29T04:00:00Z", "data": json.loads(job_json("succeeded"))}
    content = json.dumps(body).encode()
    headers = signed_headers(JOB_ID, int(time.time()), content, secret)
    assert receiver.post("/hook", data=content, headers=headers).status_code == 204
    assert receiver.post("/hook", data=content + b" ", headers=headers).status_code == 400
