"""What creates a prediction, and the request that it stands for."""

from pathlib import Path
from typing import Any

import pytest

from api.compatibility.replicate.creation import VERSION, Creation, cancel_after, named_version, preferred_wait
from api.compatibility.replicate.prediction_input import SEED, PredictionInput
from riffusion.errors import InvalidRequest, NotFound
from riffusion.requests import ModelCard


def request_of(seed_dir: Path | None = None, **fields: Any) -> dict[str, Any]:
    return PredictionInput(**fields).request(ModelCard(), seed_dir).model_dump(mode="json", exclude_unset=True)


def test_everything_may_be_left_out() -> None:
    end = {"prompt": "funky synth solo", "seed": SEED, "denoising": 0.75}
    assert request_of() == {
        "mode": "interpolate", "start": end, "end": end, "alpha": 0, "init": {"seed_image": "band"},
        "negative_prompt": "", "quality": "standard",
    }  # fmt: skip


def test_two_prompts_are_interpolated() -> None:
    made = request_of(prompt_a="rain", prompt_b="bells", denoising=0.5, num_inference_steps=5, seed_image_id="og_beat")
    assert [made["start"]["prompt"], made["end"]["prompt"]] == ["rain", "bells"]
    assert [made["start"]["denoising"], made["alpha"], made["steps"]] == [0.5, 0.5, 5]
    assert made["init"] == {"seed_image": "drums"}


def test_one_prompt_is_enough_whichever() -> None:
    assert request_of(prompt_b="bells")["start"]["prompt"] == "funky synth solo"
    assert request_of(prompt_a="rain", alpha=1)["alpha"] == 0


@pytest.mark.parametrize(
    "field",
    [
        {"alpha": 2}, {"alpha": "much"}, {"denoising": -1}, {"num_inference_steps": 0}, {"prompt_a": "x" * 2001},
        {"prompt_b": "\ud800"}, {"seed_image_id": "x" * 65}, {"prompt_a": ["x"]},
    ],
)  # fmt: skip
def test_what_is_out_of_range_is_named(field: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Creation.of({"version": "v1", "input": field})
    assert [each["field"] for each in refused.value.fields] == [f"input.{name}" for name in field]


@pytest.mark.parametrize(
    "body",
    [
        [], None, "x", {"input": []}, {"version": ""}, {"version": "x y"}, {"version": "x" * 201}, {"webhook": "ftp://x"},
        {"webhook_events_filter": ["end"]}, {"webhook_events_filter": ["start"] * 17}, {"webhook": "https://u:p@x"},
    ],
)  # fmt: skip
def test_other_bodies_are_refused(body: object) -> None:
    with pytest.raises(InvalidRequest):
        Creation.of(body)


def test_what_it_does_not_know_is_neither_an_error_nor_kept() -> None:
    creation = Creation.of({"stream": True, "input": {"prompt_a": "rain", "prompt_b": None, "seed": 7}})
    prediction = creation.prediction("v1")
    assert (prediction.input, prediction.version) == ({"prompt_a": "rain"}, "v1")


def test_events() -> None:
    hook = "https://hooks.example/"
    every = ("start", "output", "logs", "completed")
    for body, events in (
        ({"webhook": hook}, every),
        ({"webhook": hook, "webhook_events_filter": ["completed", "start", "start"]}, ("completed", "start")),
        ({"webhook_completed": hook}, ("completed",)),
    ):
        creation = Creation.of(body)
        assert (creation.hook, creation.prediction("v1").events) == (hook, events)


def test_references() -> None:
    assert named_version("abc") == "abc"
    assert named_version("riffusion/riffusion") == VERSION
    assert named_version("riffusion/riffusion:abc") == "abc"
    with pytest.raises(NotFound):
        named_version("stability-ai/sdxl:abc")
    with pytest.raises(InvalidRequest):
        named_version(None)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0), ("wait", 59.5), ("respond-async, wait", 59.5), ("wait=10", 9.5), ('WAIT="1"', 0.5), ("wait=0", 0),
        ("wait=999", 59.5), ("waiting", 0), ("wait=-1", 0), ("wait=9999999", 0),
    ],
)  # fmt: skip
def test_waits(header: str, seconds: float) -> None:
    assert preferred_wait(header) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("90", 90), ("90s", 90), ("5m", 300), ("1h30m", 5400), ("24h", 86400)]
)
def test_times_of_cancellation(header: str | None, seconds: float | None) -> None:
    assert cancel_after(header) == seconds


@pytest.mark.parametrize("header", ["", "4s", "25h", "-5", "soon", "1.5m", "30m1h", "٣٠s", "9" * 5000])
def test_other_times_are_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="Cancel-After"):
        cancel_after(header)
