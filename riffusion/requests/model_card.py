"""What a model's workers tell of it, so that the API knows what its requests may ask for."""

from riffusion.errors import UnknownReference
from riffusion.requests.fields import Model

_LISTED = 20  # names in a message


class ModelCard(Model):
    """What is to be known of a model beside its name."""

    loras: tuple[str, ...] = ()
    guidance: float | None = None  # of requests that don't say; unknown before a worker was there


def unknown_lora(name: str, card: ModelCard, prefix: str = "") -> UnknownReference:
    """The error for a LoRA that isn't there, which lists those that are; `prefix` goes before the field's name."""
    if not card.loras:
        there = "this model has none."
    elif len(card.loras) <= _LISTED:
        there = f"there are {', '.join(card.loras)}."
    else:
        there = f"there are {', '.join(card.loras[:_LISTED])} and {len(card.loras) - _LISTED} more; see GET /models."
    return UnknownReference(f"There is no LoRA {name}: {there}", f"{prefix}lora.{name}")
