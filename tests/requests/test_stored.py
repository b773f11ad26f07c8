"""The forms of a request that two versions compare, store and read."""

from typing import Any

import pytest

from riffusion.requests import (
    MODES,
    SCHEMA,
    ModelCard,
    Painted,
    complete,
    first_form,
    parse,
    stored_form,
    with_defaults,
)
from riffusion.requests.base import GUIDANCE_END_SCHEMA, MASK_SCHEMA, PRESET_SCHEMA
from tests.requests.examples import EXAMPLES

PLAIN = {"steps": 20, "scheduler": "dpm++2m"}
TEXT = {"mode": "text-to-audio", "prompt": "jazz"}


def stored(fields: dict[str, Any]) -> dict[str, Any]:
    """A request as it is stored for a model without qualities of its own."""
    return stored_form(complete(parse({**TEXT, **fields}), ModelCard()))


def test_the_usual_sampler_is_stored_as_the_version_before_stores_it() -> None:
    assert stored({}) == stored(PLAIN) == TEXT
    assert stored({"quality": "standard"}) == {**TEXT, "quality": "standard"}
    assert stored({"steps": 30, "scheduler": "ddim"}) == {**TEXT, "steps": 30, "scheduler": "ddim"}


@pytest.mark.parametrize("mode", [mode.MODE for mode in MODES if issubclass(mode, Painted)])
def test_a_stored_request_without_a_sampler_has_the_usual_one(mode: str) -> None:
    """Whatever the qualities of its model are when it is read."""
    read = with_defaults({"mode": mode, **EXAMPLES[mode]})
    assert PLAIN.items() <= read.items()
    own = ModelCard(qualities={**ModelCard().qualities, "standard": ModelCard().qualities["fast"]})
    assert PLAIN.items() <= complete(parse(read), own).model_dump().items()


def test_a_draft_of_the_version_before_takes_the_steps_that_it_says() -> None:
    draft = with_defaults({**TEXT, "quality": "draft", "steps": 10})
    request = complete(parse(draft), ModelCard(qualities=FEW_STEP))
    assert isinstance(request, Painted)
    assert (request.quality, request.sampler, request.lora) == ("fast", ("dpm++2m", 10), None)


FEW_STEP = ModelCard.model_validate(
    {"qualities": {**ModelCard().model_dump()["qualities"], "fast": {"steps": 4, "scheduler": "lcm", "lora": {"x": 1}}}}
).qualities


@pytest.mark.parametrize("fields", [{}, {"quality": "standard"}, {"quality": "best"}, {"steps": 7}])
def test_older_workers_make_what_they_know(fields: dict[str, Any]) -> None:
    assert complete(parse({**TEXT, **fields}), ModelCard()).schema_version == 1


@pytest.mark.parametrize("fields", [{"quality": "fast"}, {"quality": "best", "steps": 30}])
def test_older_workers_leave_the_new_qualities_to_newer_ones(fields: dict[str, Any]) -> None:
    assert complete(parse({**TEXT, **fields}), ModelCard()).schema_version == PRESET_SCHEMA
    sound = {"mode": "image-to-audio", **EXAMPLES["image-to-audio"], "quality": "fast"}
    assert parse(sound).schema_version == PRESET_SCHEMA


def test_older_workers_leave_new_masks_to_newer_ones() -> None:
    named, between = {"seed_image": "top"}, {"mode": "interpolate", **EXAMPLES["interpolate"]}
    inpaint = {"mode": "inpaint", **EXAMPLES["inpaint"]}
    assert [parse(request).schema_version for request in (between, inpaint)] == [1, 1]
    new = {**between, "init": {"seed_image": "drums"}, "mask": {"seconds": [1, 2]}}, {**inpaint, "mask": named}
    assert [parse(request).schema_version for request in new] == [MASK_SCHEMA, MASK_SCHEMA]
    assert MASK_SCHEMA <= SCHEMA


def test_older_workers_leave_the_end_of_guidance_to_newer_ones() -> None:
    ends = ModelCard.model_validate({"qualities": {**ModelCard().model_dump()["qualities"], "best": BEST}})
    assert [complete(parse({**TEXT, "quality": "best"}), card).schema_version for card in (ends, ModelCard())] == [
        GUIDANCE_END_SCHEMA, 1,
    ]  # fmt: skip
    assert parse({**TEXT, "guidance_end": 0.5}).schema_version == GUIDANCE_END_SCHEMA <= SCHEMA


BEST = {"steps": 50, "guidance_end": 0.5}


def test_the_form_that_version_1_compares_has_the_spacing_only_where_it_is_used() -> None:
    plain = parse(TEXT)
    assert first_form(plain).keys() == plain.model_dump(mode="json").keys() - {"timestep_spacing", "guidance_end"}
    assert first_form(parse({**TEXT, **PLAIN, "timestep_spacing": "trailing"}))["timestep_spacing"] == "trailing"


@pytest.mark.parametrize(("quality", "steps"), [("draft", 10), ("standard", 20), ("best", 50), (None, 20)])
def test_the_form_that_version_1_compares_has_the_steps_of_its_qualities(quality: str | None, steps: int) -> None:
    first = first_form(parse({**TEXT, "quality": quality}))
    assert (first["quality"], first["steps"], first["scheduler"]) == (quality, steps, "dpm++2m")
