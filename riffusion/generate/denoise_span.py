"""The stage in which a picture is denoised, with a span for each batch of steps in it."""

from riffusion import tracing
from riffusion.diffusion.metrics import STAGE_SECONDS
from riffusion.diffusion.step_batches import StepBatches, StepRun


def record_denoising(began: float, batches: StepBatches) -> None:
    """Records the denoising of one picture, from the moment in which it was given to the engine to its last step.

    A batch is shared with other jobs. So there is no span of a UNet call, which would belong to all of their traces,
    but one of each run of steps in which this picture had as many others in its batch. Until the first of them it
    waited for a place in the batch.

    Args:
        began: Unix seconds.
    """
    if batches.runs:
        attributes = {"riffusion.steps": sum(run.steps for run in batches.runs)}
        whole = tracing.Past("denoise", began, batches.runs[-1].ended, attributes)
        STAGE_SECONDS.labels("denoise").observe(max(0.0, whole.ended - began))  # the clock may have been set back
        tracing.record(whole, parts=[_steps(run) for run in batches.runs])


def _steps(run: StepRun) -> tracing.Past:
    attributes = {
        "riffusion.steps": run.steps,
        "riffusion.batch.rows": run.rows,
        "riffusion.batch.seconds": round(run.calls_s, 6),
    }
    return tracing.Past("steps", run.began, run.ended, attributes)
