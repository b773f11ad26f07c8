"""What a request leaves to its model is filled in from the model's card."""

from typing import Any

import pytest

from riffusion.errors import InvalidRequest
from riffusion.requests import (
    PRESETS,
    AnyRequest,
    ModelCard,
    Painted,
    Preset,
    complete,
    degraded,
    departures,
    parse,
)
from tests.requests.examples import EXAMPLES

CARD = ModelCard.model_validate(
    {
        "loras": ["dub", "choir"],
        "guidance": 4,
        "qualities": {
            "fast": {"steps": 4, "scheduler": "lcm", "guidance": 1, "lora": {"few": 1}},
            "standard": {"steps": 10},
            "best": {"steps": 50, "guidance_end": 0.5},
        },
    }
)
PLAIN = ModelCard(guidance=4)
FAST = {"steps": 4, "scheduler": "lcm", "guidance": 1, "lora": {"few": 1}}


def text(**fields: Any) -> AnyRequest:
    return parse({"mode": "text-to-audio", "prompt": "a", **fields})


def filled(card: ModelCard = CARD, **fields: Any) -> dict[str, Any]:
    """Fields of a request that its model may fill in."""
    values = complete(text(**fields), card).model_dump(mode="json")
    return {name: values[name] for name in ("steps", "scheduler", "guidance", "lora")}


def test_a_quality_stands_for_what_the_model_says() -> None:
    assert filled(quality="fast") == FAST
    standard = {"steps": 10, "scheduler": "dpm++2m", "guidance": 4, "lora": None}
    assert filled(quality="standard") == filled() == standard
    assert filled(PLAIN, quality="fast") == standard
    assert filled(PLAIN, quality="best") == {**standard, "steps": 50}


def test_what_the_request_says_itself_stays() -> None:
    assert filled(quality="fast", steps=8) == {**FAST, "steps": 8}
    assert filled(quality="fast", guidance=2) == {**FAST, "guidance": 2}
    assert filled(quality="fast", lora={"dub": 0.5}) == {**FAST, "lora": {"dub": 0.5, "few": 1}}
    assert filled(quality="fast", lora={"few": 0.8}) == {**FAST, "lora": {"few": 0.8}}
    assert filled(scheduler="euler", steps=30) == {"steps": 30, "scheduler": "euler", "guidance": 4, "lora": None}


def test_another_sampler_gets_neither_the_loras_nor_the_guidance_of_the_quality() -> None:
    assert filled(quality="fast", scheduler="euler", steps=9) == {
        "steps": 9, "scheduler": "euler", "guidance": 4, "lora": None
    }  # fmt: skip


def test_the_end_of_guidance_belongs_to_the_sampler() -> None:
    card = ModelCard(qualities=PRESETS | {"standard": Preset(steps=10, guidance_end=0.5)})
    given: list[dict[str, Any]] = [
        {},
        {"guidance": 7},
        {"steps": 30},
        {"guidance_end": 1},
        {"scheduler": "euler"},
        {"quality": "best"},
    ]
    ends = [complete(text(**fields), card).model_dump()["guidance_end"] for fields in given]
    assert ends == [0.5, 0.5, 0.5, None, None, None]
    unguided = text(guidance=1), text(guidance=1, guidance_end=0.3), text(scheduler="euler", guidance_end=1)
    assert [complete(each, card).model_dump()["guidance_end"] for each in unguided] == [None] * 3
    less = degraded(text(guidance_end=0.3, steps=30), CARD)
    assert less
    assert less.model_dump()["guidance_end"] is None  # what fast was distilled from has its guidance in the weights
    half = ModelCard(qualities=PRESETS | {"standard": Preset(steps=12, guidance_end=0.5)})  # 18 calls; fast makes 20
    assert degraded(text(), half) is None


@pytest.mark.parametrize("end", [0, -0.5, 1.01, True, "half"])
def test_guidance_ends_within_the_run(end: object) -> None:
    with pytest.raises(InvalidRequest):
        text(guidance_end=end)


@pytest.mark.parametrize("mode", EXAMPLES)
@pytest.mark.parametrize("quality", ["fast", "standard", "best", None])
def test_a_complete_request_stays_as_it_is(mode: str, quality: str | None) -> None:
    """So that a client may send again what a job shows, also to another model."""
    request = complete(parse({"mode": mode, **EXAMPLES[mode], "quality": quality}), CARD)
    assert complete(parse(request.model_dump(mode="json")), PLAIN) == request


def test_the_spacing_of_timesteps_belongs_to_the_sampler() -> None:
    spaced = {"steps": 4, "scheduler": "euler", "timestep_spacing": "trailing"}
    card = ModelCard(qualities=PRESETS | {"fast": Preset.model_validate(spaced)})
    fast, own, other = (
        complete(text(quality="fast", **fields), card).model_dump()
        for fields in ({}, {"timestep_spacing": "leading"}, {"scheduler": "euler"})
    )
    assert spaced.items() <= fast.items()
    assert (own["timestep_spacing"], other["timestep_spacing"]) == ("leading", None)
    less = degraded(text(timestep_spacing="linspace"), card)
    assert less
    assert spaced.items() <= less.model_dump().items()


def test_both_ends_get_the_guidance_of_the_quality() -> None:
    request = complete(parse({"mode": "interpolate", **EXAMPLES["interpolate"], "quality": "fast"}), CARD)
    assert [request.model_dump()[end]["guidance"] for end in ("start", "end")] == [1, 1]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"quality": "fast", "steps": 51}, "steps"),
        ({"steps": 1}, "steps"),
        ({"quality": "fast", "timestep_spacing": "trailing"}, "timestep_spacing"),
        ({"quality": "fast", "lora": dict.fromkeys("abcd", 1)}, "lora"),
    ],
)
def test_what_does_not_go_with_the_quality_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        complete(text(**fields), CARD, "3.")
    assert [each["field"] for each in caught.value.fields] == [f"3.{field}"]


def fast(card: ModelCard, **fields: Any) -> tuple[object, ...] | None:
    """What a request becomes under load."""
    less = degraded(text(**fields), card)
    values = less.model_dump(mode="json") if less else {}
    return tuple(values[name] for name in ("quality", "steps", "scheduler", "guidance", "lora")) if less else None


def test_under_load_a_request_becomes_fast() -> None:
    assert fast(PLAIN, quality="best", guidance=7) == ("fast", 10, "dpm++2m", 7, None)
    expected = ("fast", 4, "lcm", 1, {"few": 1})  # the guidance that it was distilled for, whatever was asked for
    assert fast(CARD) == fast(CARD, steps=30, scheduler="euler") == fast(CARD, guidance=7) == expected
    assert fast(CARD, lora={"dub": 0.5}) == (*expected[:4], {"dub": 0.5, "few": 1})


@pytest.mark.parametrize(
    "fields",
    [
        {"quality": "fast"}, {"steps": 4}, {"steps": 8, "scheduler": "lcm", "lora": {"dub": 1}},
        {"lora": dict.fromkeys("abcd", 1)}, {"negative_prompt": "drums"},
    ],
)  # fmt: skip
def test_under_load_others_stay_as_they_are(fields: dict[str, Any]) -> None:
    assert fast(CARD, **fields) is None


def test_loras_of_a_quality_may_be_named() -> None:
    """A client that sends a stored request again names them."""
    assert [CARD.has_lora(name) for name in ("dub", "few", "rock")] == [True, True, False]


def test_an_end_of_guidance_is_beside_a_quality_that_was_distilled_with_guidance() -> None:
    card = ModelCard(qualities=PRESETS | {"fast": Preset(steps=4, scheduler="lcm", guidance=1.5)})
    requests = [complete(text(quality="fast", **fields), card) for fields in ({}, {"guidance_end": 0.5})]
    assert [departures(each, card) for each in requests if isinstance(each, Painted)] == [(), ("guidance_end",)]
