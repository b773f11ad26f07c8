"""The original's body as a request of this server."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.compatibility.inference_input import ALIASES, InferenceInput
from riffusion.errors import InvalidRequest
from riffusion.requests import MAX_SEED, ModelCard
from riffusion.requests.modes.interpolate import Interpolate
from riffusion.seeds import list_seeds

END = {"prompt": "jazz", "seed": 3}
BODY = {"start": END, "end": END, "alpha": 0}
DISTILLED = ModelCard.model_validate(
    {"qualities": {**ModelCard().model_dump()["qualities"], "fast": {"steps": 4, "scheduler": "lcm", "guidance": 1}}}
)


def asked(body: dict[str, Any] | str, card: ModelCard = ModelCard(), folder: Path | None = None) -> Interpolate:  # noqa: B008
    request = InferenceInput.of(json.loads(body) if isinstance(body, str) else body).request("fast", card, folder)
    assert isinstance(request, Interpolate)
    return request


def test_what_is_left_out_is_as_in_the_original() -> None:
    request = asked(BODY)
    assert (request.alpha, request.start.denoising, request.negative_prompt, request.mask) == (0, 0.75, "", None)
    assert request.init is not None
    assert request.init.model_dump() == {"seed_image": "drums"}
    assert request.steps is None  # 50 is more than the quality has


@pytest.mark.parametrize(
    ("sent", "used"), [(0, 0), (2**32 + 5, 5), (-1, MAX_SEED), (10**4000, 10**4000 % 2**32), (7.0, 7)]
)
def test_seeds_wrap(sent: int, used: int) -> None:
    assert asked({**BODY, "start": {**END, "seed": sent}}).start.seed == used


@pytest.mark.parametrize(
    ("sent", "used"), [(50, None), (10**9, None), (1e9, None), (5, 5), (1, 2), (-3, 2), (10**4000, None)]
)
def test_steps_are_at_most_those_of_the_quality(sent: float, used: int | None) -> None:
    assert asked({**BODY, "num_inference_steps": sent}).steps == used


@pytest.mark.parametrize(("sent", "used"), [(1.0005, 1), (-3, 0), (0.5, 0.5)])
def test_numbers_out_of_range_are_the_nearest_in_it(sent: float, used: float) -> None:
    request = asked({**BODY, "alpha": sent, "start": {**END, "denoising": sent, "guidance": 99}})
    assert (request.alpha, request.start.denoising, request.start.guidance) == (used, used, 30)


def test_unknown_fields_are_ignored_and_null_is_left_out() -> None:
    end = dict.fromkeys(("seed", "denoising", "guidance", "negative_prompt"), None) | {"prompt": "jazz", "x": []}
    nulls = dict.fromkeys(("num_inference_steps", "seed_image_id", "mask_image_id"), None)
    assert asked({**BODY, **nulls, "start": end, "end": end, "worklet": 1}) == asked(
        {**BODY, "start": {"prompt": "jazz"}, "end": {"prompt": "jazz"}}
    )


def test_guidance_is_the_models_unless_it_is_chosen() -> None:
    chosen = {**BODY, "end": {**END, "guidance": 3}}
    assert (asked(chosen).start.guidance, asked(chosen).end.guidance) == (None, 3)
    assert asked(chosen, DISTILLED).end.guidance is None  # its guidance is in its weights


def test_either_end_may_have_the_negative_prompt() -> None:
    assert asked({**BODY, "end": {**END, "negative_prompt": "drums"}}).negative_prompt == "drums"


def test_aliases_stand_for_built_in_seed_images() -> None:
    assert set(ALIASES) == {"og_beat", "agile", "marim", "motorway", "vibes"}
    assert set(ALIASES.values()) == {seed.name for seed in list_seeds()}
    assert asked({**BODY, "seed_image_id": "piano"}).init is not None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"alpha": None}, "alpha"),
        ({"alpha": True}, "alpha"),
        ({"alpha": 10**400}, "alpha"),
        ({"start": {**END, "denoising": 10**400}}, "start.denoising"),
        ({"alpha": float("inf")}, "alpha"),
        ({"start": {"seed": 3}}, "start.prompt"),
        ({"start": []}, "start"),
        ({"start": {**END, "prompt": 3}}, "start.prompt"),
        ({"end": {**END, "seed": 0.5}}, "end.seed"),
        ({"end": {**END, "prompt": "\ud800"}}, "end.prompt"),
        ({"num_inference_steps": "50"}, "num_inference_steps"),
        ({"seed_image_id": "../x"}, "init.seed_image"),
        ({"mask_image_id": "/etc/x"}, "mask.seed_image"),
    ],
)
def test_what_cannot_be_read_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked({**BODY, **change})
    assert [each["field"] for each in caught.value.fields] == [field]
