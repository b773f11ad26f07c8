"""Which samplers, steps and spacings a request may combine, and which workers can make it."""

from typing import Any

import pytest

from riffusion.requests import MODES, Painted, parse
from riffusion.requests.base import SAMPLER_SCHEMA
from tests.requests.examples import EXAMPLES, refused

PAINTED = [mode.MODE for mode in MODES if issubclass(mode, Painted)]


@pytest.mark.parametrize("mode", PAINTED)
@pytest.mark.parametrize(
    "sampler",
    [
        {"scheduler": "lcm", "steps": 1}, {"scheduler": "tcd", "steps": 50},
        {"scheduler": "ddim", "steps": 2, "timestep_spacing": "trailing"},
        {"scheduler": "euler", "timestep_spacing": "linspace"},
    ],
)  # fmt: skip
def test_every_mode_takes_every_sampler(mode: str, sampler: dict[str, Any]) -> None:
    stored = parse({"mode": mode, **EXAMPLES[mode], **sampler}).model_dump(mode="json")
    assert sampler.items() <= stored.items()


@pytest.mark.parametrize(
    ("sampler", "field", "message"),
    [
        ({"scheduler": "dpm++2m", "steps": 1}, "steps", "dpm++2m takes 2 to 150 steps"),
        ({"scheduler": "lcm", "steps": 51}, "steps", "lcm takes 1 to 50 steps"),
        ({"scheduler": "tcd", "timestep_spacing": "trailing"}, "timestep_spacing", "leave timestep_spacing out"),
        ({"scheduler": "ddim", "timestep_spacing": "linspace"}, "timestep_spacing", "leading or trailing"),
        ({"scheduler": "pndm", "timestep_spacing": "linspace"}, "timestep_spacing", "leading or trailing"),
    ],
)
def test_what_does_not_fit_the_sampler_is_named(sampler: dict[str, Any], field: str, message: str) -> None:
    problems = refused({"mode": "text-to-audio", "prompt": "a", **sampler})
    assert set(problems) == {field}
    assert message in problems[field]


@pytest.mark.parametrize("mode", PAINTED)
def test_older_workers_leave_the_new_samplers_to_newer_ones(mode: str) -> None:
    plain = parse({"mode": mode, **EXAMPLES[mode]})
    assert plain.schema_version == plain.SCHEMA < SAMPLER_SCHEMA
    for sampler in ({"scheduler": "lcm", "steps": 4}, {"timestep_spacing": "trailing"}):
        assert parse({"mode": mode, **EXAMPLES[mode], **sampler}).schema_version == SAMPLER_SCHEMA
