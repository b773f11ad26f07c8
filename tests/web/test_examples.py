"""The examples of `/docs` run, as the page shows them, against the real API; only the model is left out."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx
import pytest

from riffusion.generate import Clip, Control
from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.requests import AnyRequest
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from tests.api.conftest import png, wav
from tests.client.in_process_service import serving
from tests.worker.cheap import CheapGenerator
from web.assets import STATIC
from web.examples import ADDRESS, LANGUAGES, examples

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NAMES = ("start", "submit", "upload", "follow", "list_jobs", "submit_batch", "publish")
# What each leaves behind: a file, or a last line that it prints.
FILES = {"start": "bells.mp3", "submit": "between.mp3", "upload": "organ.mp3", "submit_batch": "piano.mp3"}
LINES = {"follow": r"succeeded\b", "list_jobs": r"\w{40,} (queued|running|succeeded)$", "publish": "http://.+/clips/"}
CURL_LINES = LINES | {"submit": r"\w{40,}$", "upload": "http://.+/jobs/"}


class AnyPrompt(CheapGenerator):
    """Takes as good as no time whatever the prompt says, and makes a picture that can be published."""

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        return replace(super().run(TextToAudio(prompt="0.1", format=request.format), inputs, control), png=png())


def shown(url: str) -> dict[tuple[str, str], str]:
    """The code on the page, by example and language."""
    page = httpx.get(f"{url}/docs").text
    found: dict[tuple[str, str], str] = {}
    for section in re.split(r'<section class="example"', page)[1:]:
        name = re.findall(r'aria-labelledby="example-(\w+)"', section)[0]
        for language, code in re.findall(r'data-language="(\w+)"[^>]*><code>(.*?)</code></pre>', section, re.DOTALL):
            found[name, language] = unescape(code)
    return found


@contextmanager
def user(folder: Path) -> Iterator[dict[str, str]]:
    """The folder and the environment of somebody who copies the examples."""
    (folder / "drums.wav").write_bytes(wav())
    (folder / ".curlrc").write_text("fail-with-body\n")  # a refusal is an error
    package = folder / "node_modules/riffusion"
    package.mkdir(parents=True)
    package.joinpath("package.json").write_text(json.dumps({"type": "module", "exports": "./client/index.js"}))
    package.joinpath("client").symlink_to(STATIC / "js/client")
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    yield {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(folder)}


def test_each_task_is_shown_in_each_language() -> None:
    found = examples(ADDRESS)
    assert tuple(found) == NAMES
    assert {tuple(each.code) for each in found.values()} == {tuple(LANGUAGES.values())}


@pytest.mark.parametrize("language", LANGUAGES.values())
def test_the_examples_on_the_page_run(settings: Settings, tmp_path: Path, language: str) -> None:
    if language == "curl" and not (shutil.which("curl") and shutil.which("jq")):
        pytest.skip("there is no curl or no jq; `apt-get install curl jq`")
    command = {
        "curl": ["bash", "-euo", "pipefail", "-c"],
        "Python": [sys.executable, "-c"],
        "JavaScript": ["node", "--input-type=module", "--eval"],
    }[language]
    key, _ = KeyStore(connect(settings), settings).create("me", UNLIMITED)
    with serving(settings, AnyPrompt()) as url, user(tmp_path) as env:
        env["RIFFUSION_KEY"] = key
        code = shown(url)
        assert {name for name, spoken in code if spoken == language} == set(NAMES)
        for name in NAMES:
            text = code[name, language]
            ran = subprocess.run([*command, text], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
            assert ran.returncode == 0, f"{name}: {ran.stdout}{ran.stderr}"
            lines = CURL_LINES if language == "curl" else LINES
            if name in lines:
                assert re.match(lines[name], ran.stdout.strip().splitlines()[-1]), f"{name}: {ran.stdout}"
            else:
                assert (tmp_path / FILES[name]).stat().st_size > 0
                (tmp_path / FILES[name]).unlink()
