"""What each sampler accepts: how many steps, and which spacing of its timesteps."""

from typing import NamedTuple

from riffusion.requests.fields import Scheduler, TimestepSpacing

FEW_STEP: frozenset[Scheduler] = frozenset(("lcm", "tcd"))
"""Samplers for checkpoints and LoRAs that were distilled to a few steps. They choose their timesteps themselves."""
EQUAL_STRIDES: frozenset[Scheduler] = frozenset(("ddim", "pndm"))
"""Samplers whose update assumes timesteps 1000 / steps apart, as `linspace` doesn't give them."""

DISTILLED_STEPS = 50
"""Steps of the schedule that consistency models are distilled on: theirs are some of these."""
MAX_STEPS = 150
"""Of any sampler."""


class Sampler(NamedTuple):
    """A sampler and how many steps it takes."""

    scheduler: Scheduler
    steps: int


def step_limits(scheduler: Scheduler) -> tuple[int, int]:
    """The fewest and the most steps of a sampler; most divide by steps - 1."""
    return (1, DISTILLED_STEPS) if scheduler in FEW_STEP else (2, MAX_STEPS)


def misfit(scheduler: Scheduler, steps: int, spacing: TimestepSpacing | None) -> tuple[str, str] | None:
    """The field that doesn't fit the sampler, and why; None where both do."""
    fewest, most = step_limits(scheduler)
    if not fewest <= steps <= most:
        return "steps", f"{scheduler} takes {fewest} to {most} steps"
    if spacing is not None and scheduler in FEW_STEP:
        return "timestep_spacing", f"{scheduler} has timesteps of its own: leave timestep_spacing out"
    if spacing == "linspace" and scheduler in EQUAL_STRIDES:
        return "timestep_spacing", f"{scheduler} takes equal strides, which linspace lacks: use leading or trailing"
    return None
