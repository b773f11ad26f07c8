"""What is typed becomes the request that the API would be sent."""

from pathlib import Path
from typing import Any

import click
import pytest

from riffusion.cli.options import build, parameters
from riffusion.errors import InvalidRequest
from riffusion.requests import MODES, parse
from riffusion.requests.modes import BY_NAME
from riffusion.requests.modes.interpolate import Interpolate

UPLOAD = "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"  # SHA-256 of "12345"


def typed(model: Any, *arguments: str) -> tuple[Any, dict[str, bytes]]:
    """The request and the files of a command line."""
    command = click.Command("mode", params=parameters(model))
    return build(model, command.make_context("mode", list(arguments)).params)


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "clip.wav").write_bytes(b"12345")
    return str(tmp_path / "clip.wav")


SEED_IMAGE = {"seed_image": "drums"}


@pytest.mark.parametrize(
    ("arguments", "request_data"),
    [
        ("bells --negative-prompt drums --width 1024 --scheduler euler-a",
         {"mode": "text-to-audio", "prompt": "bells", "negative_prompt": "drums", "width": 1024,
          "scheduler": "euler-a"}),
        ("bells --init drums --denoising 0.5 --seed 7",
         {"mode": "riff", "prompt": "bells", "init": SEED_IMAGE, "denoising": 0.5, "seed": 7}),
        ("bells --lora dub=0.5 --lora choir", {"mode": "text-to-audio", "prompt": "bells",
                                                "lora": {"dub": 0.5, "choir": 1}}),
        ("bells drums --end-guidance 3 --start-seed 1 --alpha 0.5",
         {"mode": "interpolate", "start": {"prompt": "bells", "seed": 1}, "end": {"prompt": "drums", "guidance": 3},
          "alpha": 0.5}),
        ("--start-init drums --end-init FILE --end-prompt bells --clips 4",
         {"mode": "crossfade", "start": {"init": SEED_IMAGE}, "end": {"prompt": "bells", "init": {"upload": UPLOAD}},
          "clips": 4}),
        ("bells --init drums --seconds 1 2.5 --hertz 0 800",
         {"mode": "inpaint", "prompt": "bells", "init": SEED_IMAGE,
          "mask": {"seconds": [1, 2.5], "hertz": [0, 800]}}),
        ("bells --init drums --mask FILE",
         {"mode": "inpaint", "prompt": "bells", "init": SEED_IMAGE, "mask": {"upload": UPLOAD}}),
        ("bells --clip FILE", {"mode": "audio-to-audio", "prompt": "bells", "clip": {"upload": UPLOAD}}),
        ("drums", {"mode": "image-to-audio", "image": SEED_IMAGE}),
        ("FILE", {"mode": "audio-to-image", "clip": {"upload": UPLOAD}}),
        ("bells --init FILE --seconds 2", {"mode": "extend", "prompt": "bells", "init": {"upload": UPLOAD},
                                           "seconds": 2}),
        ("--init drums --bars 2 --bpm 90", {"mode": "loop", "init": SEED_IMAGE, "bars": 2, "bpm": 90}),
    ],
)  # fmt: skip
def test_a_command_line_is_a_request(arguments: str, request_data: dict[str, Any], file: str) -> None:
    given = [file if word == "FILE" else word for word in arguments.split()]
    request, inputs = typed(BY_NAME[request_data["mode"]], *given)
    assert request == parse(request_data)
    assert inputs == (dict.fromkeys(inputs, b"12345") if file in given else {})


def test_every_field_of_every_mode_can_be_said() -> None:
    for model in MODES:
        said = {parameter.name for parameter in parameters(model)}
        for name in model.model_fields.keys() - {"mode", "model", "format", "fresh", "webhook"}:
            assert [word for word in said if word and (word == name or word.startswith(f"{name}_"))], (model, name)


def test_what_is_out_of_range_is_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        typed(Interpolate, "bells", "drums", "--alpha", "2", "--end-guidance", "99")
    assert {item["field"] for item in caught.value.fields} == {"alpha", "end.guidance"}


def test_a_lora_is_a_name_and_a_number() -> None:
    with pytest.raises(click.BadParameter, match="NAME=WEIGHT"):
        typed(BY_NAME["riff"], "bells", "--init", "drums", "--lora", "dub=loud")


def test_a_file_that_is_not_there_is_no_seed_image(tmp_path: Path) -> None:
    with pytest.raises(click.FileError, match="There is no such file"):
        typed(BY_NAME["riff"], "bells", "--init", str(tmp_path / "missing"))
    with pytest.raises(click.FileError, match="There is no such file"):
        typed(BY_NAME["riff"], "bells", "--init", "missing.png")
