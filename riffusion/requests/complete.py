"""What a request leaves to its model, filled in from the model's card, so that it says what will be done."""

from typing import TypeVar

from riffusion.errors import InvalidRequest
from riffusion.requests.base import AnyRequest, Painted
from riffusion.requests.fields import MAX_LORAS
from riffusion.requests.model_card import ModelCard
from riffusion.requests.parse import with_guidance, without_guidance
from riffusion.requests.samplers import FEW_STEP, misfit

_R = TypeVar("_R", bound=AnyRequest)
_LEFT_TO_FAST = {"quality": "fast", "steps": None, "scheduler": None, "timestep_spacing": None}


def complete(request: _R, card: ModelCard, prefix: str = "") -> _R:
    """The request with the sampler, LoRAs and guidance of its quality wherever it leaves them out.

    A quality's spacing, LoRAs, guidance and the end of it belong to its sampler: a request that names a scheduler gets
    none of them. So a complete request stays as it is. An end of guidance that changes nothing is left out.

    Args:
        prefix: before the names of fields in errors.

    Raises:
        InvalidRequest: what the request says and what the quality adds don't go together.
    """
    if not isinstance(request, Painted):
        return request
    preset = card.qualities[request.quality or "standard"]
    steps, scheduler = request.steps or preset.steps, request.scheduler or preset.scheduler
    spacing, guidance, lora = request.timestep_spacing, card.guidance, request.lora
    guidance_end = request.guidance_end
    if request.scheduler is None:
        spacing = spacing or preset.timestep_spacing
        lora = dict(sorted({**(preset.lora or {}), **(lora or {})}.items())) or None
        guidance = card.guidance if preset.guidance is None else preset.guidance
        guidance_end = guidance_end or preset.guidance_end
    found = misfit(scheduler, steps, spacing)
    if len(lora or ()) > MAX_LORAS:
        found = "lora", f"with those of the quality, these are more than {MAX_LORAS} LoRAs"
    if found:
        raise InvalidRequest([{"field": f"{prefix}{found[0]}", "message": found[1]}])
    filled = request if guidance is None else with_guidance(request, guidance)
    sampler = {
        "steps": steps, "scheduler": scheduler, "timestep_spacing": spacing, "lora": lora,
        "guidance_end": guidance_end if filled.guided and guidance_end != 1 else None,
    }  # fmt: skip
    changed = {name: value for name, value in sampler.items() if value != getattr(request, name)}
    return filled.model_copy(update=changed) if changed else filled


def departures(request: Painted, card: ModelCard) -> tuple[str, ...]:
    """The fields in which a complete request isn't what its quality was distilled for; none for other qualities."""
    preset = card.qualities[request.quality or "standard"]
    if not preset.distilled:
        return ()
    asked, guidance = request.lora or {}, card.guidance if preset.guidance is None else preset.guidance
    differs = {
        "steps": request.steps != preset.steps,
        "scheduler": request.scheduler != preset.scheduler,
        "timestep_spacing": request.timestep_spacing != preset.timestep_spacing,
        "guidance": request.guided != (guidance is None or guidance > 1),
        "guidance_end": request.guided and (request.guidance_end or 1) != (preset.guidance_end or 1),
        "lora": any(asked.get(name) != weight for name, weight in (preset.lora or {}).items()),
    }
    return tuple(field for field, other in differs.items() if other)


def degraded(request: AnyRequest, card: ModelCard) -> AnyRequest | None:
    """The request at quality fast, complete; None where fast has no fewer steps and UNet calls, or doesn't go with what
    it says.

    Also None where its negative prompt would have no effect, and where the request names a sampler of few steps, since
    it names a LoRA for that sampler, too.
    """
    if not isinstance(request, Painted) or request.scheduler in FEW_STEP:
        return None
    fast = card.qualities["fast"]
    if fast.steps >= (request.steps or card.qualities[request.quality or "standard"].steps):
        return None
    asked = request if fast.guidance is None else without_guidance(request).model_copy(update={"guidance_end": None})
    try:
        made, whole = complete(asked.model_copy(update=_LEFT_TO_FAST), card), complete(request, card)
    except InvalidRequest:
        return None
    loses_negative = made.negative_prompt and not made.guided
    return None if loses_negative or _calls(made) >= _calls(whole) else made


def _calls(request: Painted) -> float:
    """UNet calls of a full run."""
    return request.sampler.steps * (1 + request.guided_share)
