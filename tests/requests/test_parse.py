"""What is accepted, and that what isn't is named field by field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riffusion.errors import FieldError, InvalidRequest
from riffusion.requests import MAX_PROMPT_CHARS, MODES, parse, with_guidance, with_seed
from riffusion.requests.modes.crossfade import Crossfade
from riffusion.requests.modes.interpolate import Interpolate
from tests.requests.examples import EXAMPLES, UPLOAD, refused


@pytest.mark.parametrize("mode", EXAMPLES)
def test_a_request_survives_the_way_through_json(mode: str) -> None:
    request = with_seed(parse({"mode": mode, **EXAMPLES[mode]}))
    assert parse(json.loads(request.model_dump_json())) == request


@pytest.mark.parametrize("mode", EXAMPLES)
def test_unknown_keys_are_refused_by_name(mode: str) -> None:
    assert "stepz" in refused({"mode": mode, **EXAMPLES[mode], "stepz": 3})


def test_unknown_and_missing_fields_are_refused_in_words_that_say_what_to_do() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse({"mode": "text-to-audio", "duration": 10})
    assert sorted(refusal.value.fields, key=lambda each: each["field"]) == [
        {"field": "duration", "message": "is no field of text-to-audio; /docs lists its fields"},
        {"field": "prompt", "message": "is missing"},
    ]


def test_loras_have_names_and_bounded_weights() -> None:
    bells = {"mode": "text-to-audio", "prompt": "bells"}
    assert parse({**bells, "lora": {}}) == parse(bells)
    assert (
        parse({**bells, "lora": {"b": 1, "a": -2}}).model_dump_json()
        == parse({**bells, "lora": {"a": -2.0, "b": 1.0}}).model_dump_json()
    )
    assert set(refused({**bells, "lora": {"a": 2.1, "B/../c": 1, "d": True}})) == {"lora.a", "lora.B/../c", "lora.d"}
    assert set(refused({**bells, "lora": dict.fromkeys("abcde", 1)})) == {"lora"}
    assert "lora" in refused({"mode": "image-to-audio", "image": UPLOAD, "lora": {"a": 1}})


@pytest.mark.parametrize("value", [True, "20", [20], 20.5, float("nan"), float("inf"), 10**400, -1, 0, 151])
def test_steps_must_be_a_whole_number_in_range(value: object) -> None:
    assert set(refused({"mode": "text-to-audio", "prompt": "a", "steps": value})) == {"steps"}


def test_a_whole_float_is_a_whole_number() -> None:
    assert with_seed(parse({"mode": "text-to-audio", "prompt": "a", "width": 512.0})).model_dump()["width"] == 512


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prompt": 3}, "prompt"),
        ({"prompt": "x" * (MAX_PROMPT_CHARS + 1)}, "prompt"),
        ({"prompt": "half a \ud800 pair"}, "prompt"),
        ({"seed": 2**32}, "seed"),
        ({"guidance": 1e999}, "guidance"),
        ({"width": 500}, "width"),
        ({"scheduler": "ddpm"}, "scheduler"),
        ({"format": "aiff"}, "format"),
        ({"model": "../up"}, "model"),
    ],
)
def test_each_bad_field_is_named(change: dict[str, Any], field: str) -> None:
    assert set(refused({"mode": "text-to-audio", "prompt": "a", **change})) == {field}


def test_the_former_name_of_fast_is_still_taken() -> None:
    assert parse({"mode": "text-to-audio", "prompt": "a", "quality": "draft"}).quality == "fast"


@pytest.mark.parametrize("quality", ["finest", 3, ["draft"], {}])
def test_unknown_qualities_are_refused(quality: object) -> None:
    assert set(refused({"mode": "text-to-audio", "prompt": "a", "quality": quality})) == {"quality"}


@pytest.mark.parametrize("mode", ["interpolate", "crossfade"])
def test_between_two_ends_is_one_clip_or_several(mode: str) -> None:
    ends = {"mode": mode, **EXAMPLES[mode], "alpha": None}
    assert refused(ends) == refused({**ends, "alpha": 0.5, "clips": 3}) == {"": "give either alpha or clips"}


@pytest.mark.parametrize("data", [None, 3, "text-to-audio", [], {}, {"mode": "sing"}, {"mode": 3}])
def test_what_has_no_known_mode_is_refused(data: object) -> None:
    assert set(refused(data)) <= {"", "mode"}


def test_seeds_left_out_are_drawn_and_others_kept() -> None:
    ends = {"mode": "interpolate", "start": {"prompt": "a", "seed": 7}, "end": {"prompt": "b"}, "alpha": 0.5}
    request = with_seed(parse(ends))
    assert isinstance(request, Interpolate)
    assert request.start.seed == 7
    assert request.end.seed is not None


def test_the_ends_of_a_crossfade_get_seed_and_guidance() -> None:
    request = with_guidance(with_seed(parse({"mode": "crossfade", **EXAMPLES["crossfade"]})), 4.0)
    assert isinstance(request, Crossfade)
    assert None not in (request.start.seed, request.end.seed)
    assert request.start.guidance == request.end.guidance == 4.0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fields = sorted({name for model in MODES for name in model.model_fields})


@given(st.sampled_from(sorted(EXAMPLES)), st.dictionaries(st.sampled_from(fields), json_values, min_size=1, max_size=4))
def test_nothing_but_a_request_or_named_fields_comes_out(mode: str, change: dict[str, Any]) -> None:
    request: object = None
    fields_named: list[FieldError] = []
    try:
        request = parse({"mode": mode, **EXAMPLES[mode], **change})
    except InvalidRequest as error:
        fields_named = error.fields
    assert (request is None) == bool(fields_named)
    assert all(item["message"] for item in fields_named)
