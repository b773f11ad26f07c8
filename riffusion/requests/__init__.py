"""What can be asked for: one pydantic model per mode, with its limits.

A request is one flat JSON object with a `mode`. `parse` turns outside data into one of the models or raises
`InvalidRequest` naming each field; `with_seed` fills in what was left to chance, so that the stored request says
exactly what was made; `cost` says how much work a request is.
"""

from riffusion.requests.base import (
    MAX_CLIPS,
    MAX_WIDTH,
    MODES,
    AnyRequest,
    AudioToAudio,
    AudioToImage,
    Extend,
    ImageToAudio,
    Inpaint,
    Interpolate,
    InterpolationEnd,
    Loop,
    Painted,
    Request,
    Riff,
    TextToAudio,
)
from riffusion.requests.cost import cost
from riffusion.requests.fields import MAX_PROMPT_CHARS, MAX_SEED, AudioFormat, Quality, Scheduler, is_name
from riffusion.requests.model_card import ModelCard, unknown_lora
from riffusion.requests.parse import REQUEST, parse, with_guidance, with_seed
from riffusion.requests.plain_text import plain
from riffusion.requests.references import JobResult, MaskBox, Reference, SeedImage, Upload, references, shareable
from riffusion.requests.sizes import (
    CLIP_SECONDS,
    CLIP_SIZE,
    COLUMNS_PER_S,
    CONTEXT_SECONDS,
    OVERLAP_SECONDS,
    InputSize,
    columns_of,
    made_columns,
    painted_at_once,
    too_wide,
)
from riffusion.requests.stored import SCHEMA, stored_form, with_defaults

__all__ = [
    "CLIP_SECONDS",
    "CLIP_SIZE",
    "COLUMNS_PER_S",
    "CONTEXT_SECONDS",
    "MAX_CLIPS",
    "MAX_PROMPT_CHARS",
    "MAX_SEED",
    "MAX_WIDTH",
    "MODES",
    "OVERLAP_SECONDS",
    "REQUEST",
    "SCHEMA",
    "AnyRequest",
    "AudioFormat",
    "AudioToAudio",
    "AudioToImage",
    "Extend",
    "ImageToAudio",
    "Inpaint",
    "InputSize",
    "Interpolate",
    "InterpolationEnd",
    "JobResult",
    "Loop",
    "MaskBox",
    "ModelCard",
    "Painted",
    "Quality",
    "Reference",
    "Request",
    "Riff",
    "Scheduler",
    "SeedImage",
    "TextToAudio",
    "Upload",
    "columns_of",
    "cost",
    "is_name",
    "made_columns",
    "painted_at_once",
    "parse",
    "plain",
    "references",
    "shareable",
    "stored_form",
    "too_wide",
    "unknown_lora",
    "with_defaults",
    "with_guidance",
    "with_seed",
]
