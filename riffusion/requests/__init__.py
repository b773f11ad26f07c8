"""What can be asked for: one pydantic model per mode, with its limits.

A request is one flat JSON object with a `mode`. `parse` turns outside data into one of the models or raises
`InvalidRequest` naming each field; `with_seed` draws the seeds that were left out, and `complete` fills in what is left
to the model, so that the stored request says exactly what was made; `cost` says how much work a request is. Each mode's
model is in its own module in `riffusion.requests.modes`.
"""

from riffusion.requests.base import AnyRequest, Painted
from riffusion.requests.between import InterpolationEnd
from riffusion.requests.complete import complete, degraded, departures
from riffusion.requests.cost import cost
from riffusion.requests.fields import (
    MAX_PROMPT_CHARS,
    MAX_SEED,
    AudioFormat,
    Quality,
    Scheduler,
    TimestepSpacing,
    is_name,
)
from riffusion.requests.model_card import ModelCard, unknown_lora
from riffusion.requests.modes import MODES, Request
from riffusion.requests.parse import REQUEST, parse, with_guidance, with_seed
from riffusion.requests.plain_text import plain
from riffusion.requests.presets import PRESETS, Preset, Presets
from riffusion.requests.references import (
    JobResult,
    Kind,
    MaskBox,
    Reference,
    SeedImage,
    Upload,
    reference_fields,
    references,
    shareable,
)
from riffusion.requests.sizes import CLIP_SIZE, InputSize, Sizes, too_short, too_wide
from riffusion.requests.stored import SCHEMA, first_form, stored_form, with_defaults
from riffusion.requests.title import title, untitled

__all__ = [
    "CLIP_SIZE",
    "MAX_PROMPT_CHARS",
    "MAX_SEED",
    "MODES",
    "PRESETS",
    "REQUEST",
    "SCHEMA",
    "AnyRequest",
    "AudioFormat",
    "InputSize",
    "InterpolationEnd",
    "JobResult",
    "Kind",
    "MaskBox",
    "ModelCard",
    "Painted",
    "Preset",
    "Presets",
    "Quality",
    "Reference",
    "Request",
    "Scheduler",
    "SeedImage",
    "Sizes",
    "TimestepSpacing",
    "Upload",
    "complete",
    "cost",
    "degraded",
    "departures",
    "first_form",
    "is_name",
    "parse",
    "plain",
    "reference_fields",
    "references",
    "shareable",
    "stored_form",
    "title",
    "too_short",
    "too_wide",
    "unknown_lora",
    "untitled",
    "with_defaults",
    "with_guidance",
    "with_seed",
]
