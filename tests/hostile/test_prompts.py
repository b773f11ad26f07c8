"""Prompts of every kind of character: kept exactly, shown harmlessly, and never part of a header or a file name."""

import io
import re
import time
import unicodedata
from typing import Any

import pytest
from PIL import Image

from riffusion.audio.recipe import read_recipe, tag_audio
from riffusion.diffusion.prompt import parse_weights
from riffusion.requests import MAX_PROMPT_CHARS, AudioFormat
from riffusion.spectrogram.picture_file import write_png
from tests.api.conftest import Client, Worker, submit
from tests.hostile.sounds import tone

OVERRIDE = "\u202e"  # what follows is shown from right to left
PLANES = {f"plane {plane}": "".join(chr(plane << 16 | offset) for offset in (0x21, 0xA9, 0x1234, 0xFFFD, 0xFFFF))
          for plane in range(17)}  # fmt: skip
PROMPTS = PLANES | {
    "control characters": "".join(map(chr, [*range(32), *range(127, 160)])),
    "right to left": f"song{OVERRIDE}3pm.exe\u2066\u200f\u061c",
    "markup": "</title><script>alert(1)</script>\"'`${{7*7}}{%x%}",
    "lines": "a\r\nSet-Cookie: x=1\r\n\r\n<html>\u2028b",
    "paths": "../../etc/passwd\\..\\x\0.mp3",
    "combining": "Z" + "\u0300" * 1900,
    "formats": "%s%n%x{0.__class__}$(id)`id`",
}


@pytest.fixture(params=PROMPTS)
def prompt(request: pytest.FixtureRequest) -> str:
    return PROMPTS[request.param]


def test_a_prompt_is_kept_exactly(client: Client, prompt: str) -> None:
    job = submit(client, prompt=prompt)
    assert client.get(f"/jobs/{job['id']}").json["request"]["prompt"] == prompt
    assert client.get("/jobs").json["jobs"][0]["request"]["prompt"] == prompt


@pytest.mark.parametrize("prompt", ["right to left", "markup", "lines", "paths"], indirect=True)
def test_a_published_prompt_is_shown_harmlessly(client: Client, worker: Worker, prompt: str) -> None:
    job = submit(client, prompt=prompt)
    worker.succeed(worker.claim())
    path = client.post(f"/jobs/{job['id']}/publish").json["url"].removeprefix("http://localhost")
    page = client.get(path)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    title = page.text.partition("<title>")[2].partition("</title>")[0]
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Zl") for char in title.strip())
    for address in ("image", "audio"):
        response = client.get(client.get(f"/jobs/{job['id']}").json["result"][address]["url"])
        name = response.headers["Content-Disposition"]
        assert name.isascii()
        assert re.search(r"text-to-audio-[0-9a-f]{8}\.", name)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("audio_format", ["mp3", "wav", "flac", "ogg"])
def test_tags_hold_any_prompt_and_show_it_plainly(audio_format: AudioFormat) -> None:
    data = tone(audio_format, *(["-c:a", "libvorbis"] if audio_format == "ogg" else []), seconds=0.1)
    for name, prompt in PROMPTS.items():
        recipe: dict[str, Any] = {"mode": "text-to-audio", "prompt": prompt, "seed": 1}
        tagged = tag_audio(data, audio_format, recipe)
        assert read_recipe(tagged) == recipe, name
        assert OVERRIDE.encode() not in tagged  # inside the recipe it is escaped


def test_pictures_hold_any_prompt_and_show_it_plainly() -> None:
    for name, prompt in PROMPTS.items():
        recipe = {"mode": "text-to-audio", "prompt": prompt, "seed": 1}
        data = write_png(Image.new("L", (8, 8)), recipe)
        assert read_recipe(data) == recipe, name
        assert OVERRIDE not in Image.open(io.BytesIO(data)).info.get("Title", "")


@pytest.mark.parametrize("character", ["(", "[", "((a:1.1)", "\\", ":", "🎷"])
def test_ten_thousand_of_anything_are_refused_by_name(client: Client, character: str) -> None:
    response = client.post("/jobs", json={"mode": "text-to-audio", "prompt": character * 10_000})
    assert (response.status_code, response.json["errors"][0]["field"]) == (422, "prompt")
    longest = (character * MAX_PROMPT_CHARS)[:MAX_PROMPT_CHARS]
    submit(client, prompt=longest)
    assert "".join(piece.text for piece in parse_weights(longest))


@pytest.mark.parametrize("nested", ["(" * 10_000 + ")" * 10_000, "(" * 10_000 + ":1.9)" * 10_000, "([" * 10_000])
def test_ten_thousand_nested_weights_cost_no_more_than_plain_text(nested: str) -> None:
    def cpu(text: str) -> float:
        began = time.process_time()
        parse_weights(text)
        return time.process_time() - began

    plain = min(cpu(".:" * (len(nested) // 2)) for _ in range(3))
    assert min(cpu(nested) for _ in range(3)) < 20 * plain  # quadratic would be thousands
