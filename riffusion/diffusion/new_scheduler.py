"""diffusers' schedulers, as a checkpoint was trained and a request asks.

The samplers are DDIM (Song et al. 2020), PNDM (Liu et al. 2022), DPM-Solver++ 2M (Lu et al. 2022), Euler, plain and
ancestral (Karras et al. 2022), and for distilled models LCM (Luo et al. 2023) and TCD (Zheng et al. 2024).
"""

from collections.abc import Mapping
from typing import Any

from riffusion.diffusion.libraries import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
    TCDScheduler,
)
from riffusion.requests import Scheduler, TimestepSpacing
from riffusion.requests.samplers import DISTILLED_STEPS, EQUAL_STRIDES

# The part of a checkpoint's scheduler configuration that describes its training. The rest belongs to the sampler that
# the checkpoint was published with, not to the requested one.
_TRAINED = (
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "rescale_betas_zero_snr",
    "set_alpha_to_one",
)
_SAMPLERS: dict[Scheduler, tuple[type[Any], dict[str, Any]]] = {
    "dpm++2m": (DPMSolverMultistepScheduler, {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "ddim": (DDIMScheduler, {"clip_sample": False}),
    "euler": (EulerDiscreteScheduler, {}),
    "euler-a": (EulerDiscreteScheduler, {}),  # a trajectory's step makes it ancestral
    "pndm": (PNDMScheduler, {"skip_prk_steps": True}),
    "lcm": (LCMScheduler, {"original_inference_steps": DISTILLED_STEPS}),
    "tcd": (TCDScheduler, {"original_inference_steps": DISTILLED_STEPS}),
}
_STEPS_OFFSET = 1  # of leading timesteps; diffusers sets it for every Stable Diffusion


def new_scheduler(name: Scheduler, config: Mapping[str, Any], spacing: TimestepSpacing | None) -> Any:
    """A scheduler of diffusers, which keeps the state of one row.

    Args:
        config: the checkpoint's scheduler configuration.
        spacing: of the timesteps; None is as the checkpoint says.
    """
    sampler, options = _SAMPLERS[name]
    trained = {key: config[key] for key in _TRAINED if key in config}
    return sampler.from_config(trained | {"steps_offset": _STEPS_OFFSET} | _spacing(name, config, spacing) | options)


def _spacing(name: Scheduler, config: Mapping[str, Any], requested: TimestepSpacing | None) -> dict[str, str]:
    """The option that spaces the timesteps as requested, else as the checkpoint says; none is the sampler's default."""
    spacing = requested or config.get("timestep_spacing")
    if not requested and config.get("rescale_betas_zero_snr"):
        spacing = "trailing"  # such a model has to start at the last timestep
    if spacing is None or (spacing == "linspace" and name in EQUAL_STRIDES):
        return {}
    return {"timestep_spacing": spacing}
