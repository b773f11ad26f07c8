"""What a request is charged."""

from typing import Any

import pytest

from riffusion.requests import AnyRequest, InputSize, cost, parse, references
from tests.requests.examples import EXAMPLES, UPLOAD


def sized_cost(request: AnyRequest, size: InputSize) -> float:
    """Where all that it starts from is of this size."""
    return cost(request, dict.fromkeys(references(request), size))


@pytest.mark.parametrize("mode", EXAMPLES)
def test_more_steps_never_cost_less(mode: str) -> None:
    base = {"mode": mode, **EXAMPLES[mode]}
    assert cost(parse(base)) >= 1
    if mode not in {"image-to-audio", "audio-to-image"}:
        assert cost(parse({**base, "steps": 100})) > cost(parse({**base, "steps": 20}))


@pytest.mark.parametrize(
    "mode", [mode for mode, example in EXAMPLES.items() if references(parse({"mode": mode, **example}))]
)
def test_work_grows_with_what_it_starts_from(mode: str) -> None:
    request = parse({"mode": mode, **EXAMPLES[mode], **({"bars": None} if mode == "loop" else {})})
    short, long, stereo = (sized_cost(request, size) for size in (InputSize(512), InputSize(2048), InputSize(512, 2)))
    assert long > short
    if mode not in {"extend", "loop"}:  # which paint the same, however long the rest is
        assert long > 2 * short
    assert (stereo > short) == (
        mode not in {"riff", "crossfade"}
    )  # the model paints in mono, and what it painted is what is heard


@pytest.mark.parametrize("mode", [mode for mode in EXAMPLES if mode not in {"image-to-audio", "audio-to-image"}])
def test_steps_after_the_end_of_guidance_cost_less(mode: str) -> None:
    whole, half, least = (
        cost(parse({"mode": mode, **EXAMPLES[mode], "steps": 100, "guidance_end": end})) for end in (1.0, 0.5, 0.01)
    )
    assert whole > half > least
    assert whole - half == pytest.approx((whole - least) / 2, rel=0.03)


def test_at_least_one_step_is_guided_and_charged() -> None:
    one, none = ({"denoising": 0.1, "steps": 10, **fields} for fields in ({"guidance_end": 0.01}, {"guidance": 1}))
    riff = {"mode": "riff", **EXAMPLES["riff"]}
    assert cost(parse({**riff, **one})) == cost(parse({**riff, "denoising": 0.1, "steps": 10}))
    assert cost(parse({**riff, **one})) > cost(parse({**riff, **none}))


@pytest.mark.parametrize("mode", EXAMPLES)
def test_better_sound_costs_more(mode: str) -> None:
    fast, standard, best = (
        cost(parse({"mode": mode, **EXAMPLES[mode], "quality": quality})) for quality in ("fast", "standard", "best")
    )
    assert fast < standard < best


@pytest.mark.parametrize(
    ("mode", "more"),
    [
        ("text-to-audio", {"width": 1024}),
        ("riff", {"denoising": 1}),
        ("interpolate", {"alpha": None, "clips": 2}),
        ("interpolate", {"start": {"prompt": "a", "denoising": 1}, "init": UPLOAD}),
        ("crossfade", {"alpha": None, "clips": 2}),
        ("crossfade", {"end": {"init": UPLOAD, "denoising": 1}}),
        ("audio-to-audio", {"denoising": 0.8}),
        ("extend", {"seconds": 8}),
        ("loop", {"bars": 4}),
        ("image-to-audio", {"format": "ogg"}),
    ],
)
def test_a_request_for_more_costs_more(mode: str, more: dict[str, Any]) -> None:
    less = {"mode": mode, **EXAMPLES[mode]} | ({"init": UPLOAD} if "init" in more else {})
    size = InputSize(1024)
    assert sized_cost(parse({**less, **more}), size) > sized_cost(parse(less), size)


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


def test_a_crossfade_is_as_wide_as_the_narrower_picture_and_encodes_both_once() -> None:
    crossfade = {"mode": "crossfade", **EXAMPLES["crossfade"], "alpha": None}
    riff = {"mode": "riff", "prompt": "", "init": UPLOAD}
    sizes = {"start.init": InputSize(1024), "end.init": InputSize(512, channels=2)}
    one, four = (cost(parse({**crossfade, **many}), sizes) for many in ({"alpha": 0.5}, {"clips": 4}))
    encoding, request = 0.8, 0.5
    assert one == pytest.approx(cost(parse(riff)) + encoding)
    assert four == pytest.approx(4 * (cost(parse(riff)) - encoding - request) + 2 * encoding + request)


def test_a_wide_picture_costs_more_than_its_parts() -> None:
    """Self-attention compares every place with every other."""
    narrow, wide = (
        cost(parse({"mode": "text-to-audio", **EXAMPLES["text-to-audio"], "width": w})) for w in (512, 2048)
    )
    assert wide > 5 * narrow
