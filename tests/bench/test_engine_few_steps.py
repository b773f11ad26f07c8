"""What bench/engine_few_steps.py makes of a model's qualities and of times."""

import pytest
from engine_clients import Served
from engine_few_steps import kinds, ratios_of, requests_of

from riffusion.requests import PRESETS, ModelCard
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.requests.presets import Preset

DISTILLED = Preset(steps=4, scheduler="euler", timestep_spacing="trailing", guidance=1.0, lora={"fast": 1.0})


def test_the_models_own_few_step_qualities_are_measured() -> None:
    assert list(kinds(ModelCard(guidance=4.0))) == ["4_steps"]
    card = ModelCard(guidance=4.0, qualities=PRESETS | {"fast": DISTILLED})
    assert list(kinds(card)) == ["4_steps", "fast"]
    request = requests_of(kinds(card)["fast"], card)[0]
    assert isinstance(request, TextToAudio)
    assert (request.steps, request.scheduler, request.guidance, request.lora) == (4, "euler", 1.0, {"fast": 1.0})


def test_what_joining_costs_and_saves() -> None:
    long, few = Served(4.0, [4.0, 4.0]), Served(1.0, [1.0, 1.0])
    ratios = ratios_of(long, few, Served(4.5, [4.5, 4.5, 1.5, 1.5]))
    assert ratios == {
        "few_latency_ratio": 1.5,
        "long_latency_ratio": 4.5 / 4,
        "together_ratio": 0.9,
        "few_over_long": pytest.approx(1 / 3),
    }
