"""Every mode, submitted over HTTP, ends in a picture and a sound that decode."""

import io
import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from PIL import Image

from riffusion.audio.recipe import read_recipe
from riffusion.client import Client
from riffusion.requests import MODES, parse
from tests.acceptance.conftest import Stack, http

RATE = 44_100
STEPS = {"steps": 3}
PROMPT = {"prompt": "church bells", "negative_prompt": "drums", **STEPS}


@pytest.fixture(scope="module")
def client(stack: Stack) -> Client:
    return stack.client


@pytest.fixture(scope="module")
def recording(client: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Seven seconds of two plucked notes in stereo, uploaded as WAV."""
    seconds = np.arange(7 * RATE) / RATE
    pluck = np.exp(-3 * (seconds % 0.5))
    wave = 0.4 * pluck[:, None] * np.sin(2 * np.pi * seconds[:, None] * np.array([220.0, 330.0]))
    path = tmp_path_factory.mktemp("recording") / "plucks.wav"
    soundfile.write(path, wave, RATE)
    return client.upload(path).model_dump()


@pytest.fixture(scope="module")
def drawing(client: Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A hand-drawn picture: three dark lines on white."""
    pixels = np.full((512, 512), 255, np.uint8)
    pixels[[300, 350, 400], 50:450] = 20
    path = tmp_path_factory.mktemp("drawing") / "lines.png"
    Image.fromarray(pixels).save(path)
    return client.upload(path).model_dump()


@pytest.fixture(scope="module")
def earlier(client: Client) -> dict[str, Any]:
    """A job that has succeeded."""
    return {"job": client.submit(parse({"mode": "text-to-audio", **PROMPT, "seed": 1})).wait().id}


SECONDS = {  # expected length of the sound, ± 0.05 s
    "text-to-audio": 5.12,
    "riff": 5.12,
    "interpolate": 5.12,
    "crossfade": 5.12,
    "inpaint": 5.12,
    "audio-to-audio": 7.0,
    "image-to-audio": 5.12,
    "audio-to-image": 7.0,
    "extend": 7.12,
    "loop": None,  # whole bars of the seed image
}


def test_the_table_names_every_mode() -> None:
    assert set(SECONDS) == {model.model_fields["mode"].default for model in MODES}


@pytest.fixture
def request_of(
    mode: str, recording: dict[str, Any], drawing: dict[str, Any], earlier: dict[str, Any]
) -> dict[str, Any]:
    seed_image = {"seed_image": "drums"}
    requests: dict[str, dict[str, Any]] = {
        "text-to-audio": {**PROMPT, "format": "mp3"},
        "riff": {**PROMPT, "init": seed_image, "format": "wav"},
        "interpolate": {"start": {"prompt": "bells"}, "end": {"prompt": "(drums:1.3)"}, "alpha": 0.5, **STEPS},
        "crossfade": {"start": {"init": earlier}, "end": {"init": seed_image}, "alpha": 0.5, **STEPS},
        "inpaint": {**PROMPT, "init": earlier, "mask": {"seconds": [1, 3]}, "format": "flac"},
        "audio-to-audio": {**PROMPT, "clip": recording},
        "image-to-audio": {"image": drawing, "format": "ogg"},
        "audio-to-image": {"clip": recording},
        "extend": {**PROMPT, "init": earlier, "seconds": 2},
        "loop": {**PROMPT, "init": seed_image},
    }
    return requests[mode]


@pytest.mark.parametrize("mode", SECONDS)
def test_a_mode_ends_in_picture_and_sound(client: Client, mode: str, request_of: dict[str, Any]) -> None:
    job = client.submit(parse({"mode": mode, **request_of})).wait()

    result = job.result
    picture = Image.open(io.BytesIO(http.get(result.image.url).raise_for_status().content))
    assert picture.format == "PNG"
    assert picture.size == (result.image.width, 512)
    assert picture.getexif()[11000] == RATE
    assert np.asarray(picture).std() > 0

    sound = http.get(result.audio.url).raise_for_status()
    wave, rate = soundfile.read(io.BytesIO(sound.content))
    assert rate == RATE
    assert len(wave) / rate == pytest.approx(result.audio.duration_s, abs=0.001)
    if SECONDS[mode] is not None:
        assert len(wave) / rate == pytest.approx(SECONDS[mode], abs=0.05)
    assert 0 < np.abs(wave).max() < 1


def test_a_run_of_clips_becomes_one_sound(client: Client) -> None:
    ends = {"mode": "interpolate", "start": {"prompt": "bells"}, "end": {"prompt": "drums"}, "clips": 2, "steps": 2}
    result = client.run(ends).result
    assert result.audio.duration_s == pytest.approx(2 * 5.12, abs=0.05)


def test_the_same_seed_makes_the_same_picture_in_any_batch(client: Client) -> None:
    request = parse({"mode": "text-to-audio", **PROMPT, "seed": 7, "fresh": True})
    other = parse({"mode": "text-to-audio", **PROMPT, "seed": 8})
    alone = client.submit(request).wait()
    together = client.submit_many([request, other])[0].wait()
    urls = [job.image.url for job in (alone, together)]
    first, second = (np.asarray(Image.open(io.BytesIO(http.get(url).content)), np.int16) for url in urls)
    # A batch of another size rounds differently: one grey level at most.
    assert np.abs(first - second).max() <= 1


def test_a_clip_carries_its_recipe(client: Client, earlier: dict[str, Any], tmp_path: Path) -> None:
    files = client.job(earlier["job"]).download(tmp_path)
    for path in (files.image, files.audio):
        recipe = read_recipe(path.read_bytes())
        assert (recipe["prompt"], recipe["seed"], recipe["steps"]) == ("church bells", 1, 3)


def test_what_an_operator_asks_for_is_there(stack: Stack) -> None:
    assert http.get(f"{stack.url}/healthz").status_code == httpx.codes.OK
    assert [model["name"] for model in http.get(f"{stack.url}/models").json()["models"]] == ["tiny"]
    assert "riffusion_" in http.get(f"{stack.url}/metrics").text
    assert json.loads(http.get(f"{stack.url}/openapi.json").text)["openapi"].startswith("3.1")
