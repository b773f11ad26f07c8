"""Requests: what is accepted, and that what isn't is named field by field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riffusion.errors import FieldError, InvalidRequest
from riffusion.requests import (
    MAX_PROMPT_CHARS,
    MODES,
    InputSize,
    Interpolate,
    Upload,
    cost,
    parse,
    references,
    with_seed,
)

UPLOAD = {"upload": "u" * 22}
EXAMPLES: dict[str, dict[str, Any]] = {
    "text-to-audio": {"prompt": "church bells"},
    "riff": {"prompt": "church bells", "init": {"seed_image": "drums"}},
    "interpolate": {"start": {"prompt": "a"}, "end": {"prompt": "b"}, "alpha": 0.5},
    "inpaint": {"prompt": "a", "init": UPLOAD, "mask": {"seconds": [1, 2.5], "hertz": [0, 800]}},
    "audio-to-audio": {"prompt": "a", "clip": UPLOAD},
    "image-to-audio": {"image": UPLOAD},
    "audio-to-image": {"clip": {"job": "j" * 22}},
    "extend": {"prompt": "a", "init": {"job": "j" * 22}},
    "loop": {"init": {"seed_image": "drums"}, "bars": 2},
}


def refused(data: object) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught:
        parse(data)
    return {field["field"]: field["message"] for field in caught.value.fields}


def test_there_is_an_example_of_every_mode() -> None:
    assert set(EXAMPLES) == {model.model_fields["mode"].default for model in MODES}


@pytest.mark.parametrize("mode", EXAMPLES)
def test_a_request_survives_the_way_through_json(mode: str) -> None:
    request = with_seed(parse({"mode": mode, **EXAMPLES[mode]}))
    assert parse(json.loads(request.model_dump_json())) == request


@pytest.mark.parametrize("mode", EXAMPLES)
def test_unknown_keys_are_refused_by_name(mode: str) -> None:
    assert "stepz" in refused({"mode": mode, **EXAMPLES[mode], "stepz": 3})


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


@pytest.mark.parametrize("value", [True, "20", None, [20], 20.5, float("nan"), float("inf"), 10**400, -1, 0, 1, 151])
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


@pytest.mark.parametrize("init", [None, 3, {}, {"seed_image": "drums", "upload": "u" * 22}, {"file": "x"}])
def test_a_reference_is_one_of_its_kinds(init: object) -> None:
    assert refused({"mode": "riff", "prompt": "a", "init": init}) == {
        "init": "give an object with one of seed_image, upload, job"
    }


def test_a_reference_is_named_without_the_inside_of_the_union() -> None:
    assert set(refused({"mode": "riff", "prompt": "a", "init": {"seed_image": "../x"}})) == {"init.seed_image"}
    assert set(refused({**EXAMPLES["inpaint"], "mode": "inpaint", "mask": {"seconds": [0, "1"]}})) == {"mask.seconds.1"}


@pytest.mark.parametrize("mask", [{}, {"seconds": [2, 1]}, {"hertz": [5, 5]}])
def test_a_mask_box_has_an_inside(mask: dict[str, Any]) -> None:
    assert set(refused({**EXAMPLES["inpaint"], "mode": "inpaint", "mask": mask})) == {"mask"}


@pytest.mark.parametrize(("quality", "steps"), [("draft", 10), ("standard", 20), ("best", 50)])
def test_a_quality_is_stored_as_what_it_stands_for(quality: str, steps: int) -> None:
    request = parse({"mode": "text-to-audio", "prompt": "a", "quality": quality})
    stored = request.model_dump(mode="json")
    assert (stored["quality"], stored["steps"], stored["scheduler"]) == (quality, steps, "dpm++2m")
    assert parse(stored) == request


@pytest.mark.parametrize("change", [{"steps": 21}, {"scheduler": "ddim"}])
def test_a_quality_leaves_no_choice_of_steps(change: dict[str, Any]) -> None:
    assert "quality" in refused({"mode": "text-to-audio", "prompt": "a", "quality": "standard", **change})[""]


@pytest.mark.parametrize("quality", ["finest", 3, ["draft"], {}])
def test_unknown_qualities_are_refused(quality: object) -> None:
    assert set(refused({"mode": "text-to-audio", "prompt": "a", "quality": quality})) == {"quality"}


def test_interpolation_is_one_clip_or_several() -> None:
    ends = {"mode": "interpolate", "start": {"prompt": "a"}, "end": {"prompt": "b"}}
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


def test_references_are_found_by_field() -> None:
    inpaint = parse({**EXAMPLES["inpaint"], "mode": "inpaint", "mask": {"upload": "m" * 22}})
    assert references(inpaint) == {"init": Upload(upload="u" * 22), "mask": Upload(upload="m" * 22)}


@pytest.mark.parametrize("mode", EXAMPLES)
def test_more_steps_never_cost_less(mode: str) -> None:
    base = {"mode": mode, **EXAMPLES[mode]}
    assert cost(parse(base)) >= 1
    if mode not in {"image-to-audio", "audio-to-image"}:
        assert cost(parse({**base, "steps": 100})) > cost(parse({**base, "steps": 20}))


@pytest.mark.parametrize("mode", sorted(EXAMPLES.keys() - {"text-to-audio", "interpolate"}))
def test_work_grows_with_what_it_starts_from(mode: str) -> None:
    request = parse({"mode": mode, **EXAMPLES[mode], **({"bars": None} if mode == "loop" else {})})
    short, long, stereo = (cost(request, size) for size in (InputSize(512), InputSize(2048), InputSize(512, 2)))
    assert long > short
    if mode not in {"extend", "loop"}:  # which paint the same, however long the rest is
        assert long > 2 * short
    assert (stereo > short) == (mode != "riff")  # the model paints in mono, and what it painted is what is heard


@pytest.mark.parametrize("mode", EXAMPLES)
def test_better_sound_costs_more(mode: str) -> None:
    draft, standard, best = (
        cost(parse({"mode": mode, **EXAMPLES[mode], "quality": quality})) for quality in ("draft", "standard", "best")
    )
    assert draft < standard < best


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("text-to-audio", {"width": 1024}),
        ("riff", {"denoising": 1}),
        ("interpolate", {"alpha": None, "clips": 2}),
        ("interpolate", {"start": {"prompt": "a", "denoising": 1}, "init": UPLOAD}),
        ("audio-to-audio", {"denoising": 0.8}),
        ("extend", {"seconds": 8}),
        ("loop", {"bars": 4}),
        ("image-to-audio", {"format": "ogg"}),
    ],
)
def test_whatever_asks_for_more_costs_more(mode: str, more: dict[str, Any]) -> None:
    less = {"mode": mode, **EXAMPLES[mode]} | ({"init": UPLOAD} if "init" in more else {})
    size = InputSize(1024)
    assert cost(parse({**less, **more}), size) > cost(parse(less), size)


def test_without_guidance_the_model_does_half() -> None:
    base = {"mode": "text-to-audio", **EXAMPLES["text-to-audio"], "steps": 150}
    plain, weak, guided, unsaid = (cost(parse({**base, **given})) for given in (
        {"guidance": 0}, {"guidance": 1}, {"guidance": 1.1}, {},
    ))  # fmt: skip
    assert plain == weak < 0.7 * guided
    assert unsaid == guided


def test_ends_of_different_guidance_meet_between() -> None:
    ends = {"start": {"prompt": "a", "guidance": 0}, "end": {"prompt": "b", "guidance": 4}, "mode": "interpolate"}
    assert cost(parse({**ends, "alpha": 0.2})) < cost(parse({**ends, "alpha": 0.5}))


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
