"""The schedulers of diffusers that ours are compared with."""

from typing import Any

from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
)

from riffusion.requests import Scheduler

STOCHASTIC: dict[Scheduler, type[Any]] = {
    "euler-a": EulerAncestralDiscreteScheduler, "lcm": LCMScheduler, "tcd": TCDScheduler,
}  # fmt: skip
DETERMINISTIC: dict[Scheduler, type[Any]] = {
    "dpm++2m": DPMSolverMultistepScheduler, "ddim": DDIMScheduler, "euler": EulerDiscreteScheduler,
    "pndm": PNDMScheduler,
}  # fmt: skip
