"""The body of the original's `POST /run_inference/`, and the request of this server that it stands for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, model_validator

from riffusion.errors import InvalidRequest
from riffusion.requests import MAX_SEED, AnyRequest, ModelCard, Quality, parse
from riffusion.requests.fields import MAX_GUIDANCE, Float, Int
from riffusion.requests.samplers import step_limits
from riffusion.seeds import has_seed

ALIASES = {"og_beat": "drums", "agile": "guitar", "marim": "piano", "motorway": "bass", "vibes": "band"}
"""The original's seed images -> those of this project that stand in for them, unless the operator has them."""
DEFAULT_GUIDANCE = 7.0
"""Of the original, which its app always sends: it stands for the model's own, as steps stand for the quality's."""


def _clamped(low: float, high: float) -> AfterValidator:
    return AfterValidator(lambda value: min(max(value, low), high))


class Loose(BaseModel):
    """Unknown fields are ignored, and null counts as left out: JavaScript writes it for NaN, too."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, Mapping) else data


class PromptInput(Loose):
    """One end."""

    prompt: str
    seed: Annotated[Int, AfterValidator(lambda seed: seed % (MAX_SEED + 1))] | None = None
    """Any integer, modulo 2³²; left out, it is drawn."""
    negative_prompt: str = ""
    denoising: Annotated[Float, _clamped(0, 1)] = 0.75
    guidance: Annotated[Float, _clamped(0, MAX_GUIDANCE)] = DEFAULT_GUIDANCE


class InferenceInput(Loose):
    """The whole body; numbers out of range count as the nearest in it."""

    start: PromptInput
    end: PromptInput
    alpha: Annotated[Float, _clamped(0, 1)]
    num_inference_steps: Int = 50
    seed_image_id: str = "og_beat"
    mask_image_id: str = ""

    @classmethod
    def of(cls, body: object) -> "InferenceInput":
        """A body as it was sent.

        Raises:
            InvalidRequest: naming each field that is missing or of another type.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidRequest(
                [{"field": ".".join(map(str, item["loc"])), "message": item["msg"]} for item in error.errors()]
            ) from None

    def request(self, quality: Quality, card: ModelCard, seed_dir: Path | None) -> AnyRequest:
        """The request that it stands for, at a quality of the model, which caps its steps.

        Args:
            seed_dir: the operator's seed images and masks.

        Raises:
            InvalidRequest: a prompt is too long, or an id no name.
        """
        preset = card.qualities[quality]
        fewest, _ = step_limits(preset.scheduler)
        steps = min(max(self.num_inference_steps, fewest), preset.steps)
        named = self.seed_image_id
        seed = named if has_seed(named, seed_dir) else ALIASES.get(named, named)
        return parse(
            {
                "mode": "interpolate",
                "start": self._end(self.start, guided=not preset.distilled),
                "end": self._end(self.end, guided=not preset.distilled),
                "alpha": self.alpha,
                "init": {"seed_image": seed},
                **({"mask": {"seed_image": self.mask_image_id}} if self.mask_image_id else {}),
                "negative_prompt": self.start.negative_prompt or self.end.negative_prompt,
                "quality": quality,
                **({"steps": steps} if steps < preset.steps else {}),
            }
        )

    @staticmethod
    def _end(end: PromptInput, *, guided: bool) -> dict[str, Any]:
        own = guided and end.guidance != DEFAULT_GUIDANCE
        return {
            "prompt": end.prompt,
            "denoising": end.denoising,
            **({"seed": end.seed} if end.seed is not None else {}),
            **({"guidance": end.guidance} if own else {}),
        }
