"""What a model's workers report about it, so that the API can check and complete what its requests ask for."""

from pydantic import Field

from riffusion.errors import UnknownReference
from riffusion.requests.fields import Model
from riffusion.requests.presets import PRESETS, Presets

_LISTED = 20  # names in a message


class ModelCard(Model):
    """A model's properties beside its name."""

    loras: tuple[str, ...] = ()
    """Names of its LoRAs."""
    guidance: float | None = None
    """The guidance scale of requests that give none; None before the first worker has reported it."""
    qualities: Presets = Field(default=PRESETS)
    """What each quality stands for."""

    def has_lora(self, name: str) -> bool:
        """Whether requests may name this LoRA: one of the list, or one that a quality fills in."""
        return name in self.loras or any(name in (preset.lora or ()) for preset in self.qualities.values())


def unknown_lora(name: str, card: ModelCard, prefix: str = "") -> UnknownReference:
    """The error for a LoRA that doesn't exist, which lists those that do; `prefix` goes before the field's name."""
    if not card.loras:
        there = "this model has none."
    elif len(card.loras) <= _LISTED:
        there = f"there are {', '.join(card.loras)}."
    else:
        there = f"there are {', '.join(card.loras[:_LISTED])} and {len(card.loras) - _LISTED} more; see GET /models."
    return UnknownReference(f"There is no LoRA {name}: {there}", f"{prefix}lora.{name}")
