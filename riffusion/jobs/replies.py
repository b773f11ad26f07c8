"""What the store returns besides records: pages of jobs, and how busy the models are."""

from dataclasses import dataclass

from riffusion.jobs.acceptance import Place
from riffusion.jobs.record import JobRecord
from riffusion.requests import ModelCard

NO_CARD = ModelCard()


@dataclass(frozen=True)
class Page:
    """Part of a tenant's jobs, newest first."""

    records: tuple[JobRecord, ...]
    places: tuple[Place | None, ...]
    """Of those that wait."""
    cursor: str | None
    """For the next page; None after the last."""


@dataclass(frozen=True)
class ModelLoad:
    """How busy a model is."""

    workers: int
    """Workers alive."""
    slots: int
    """Jobs that those workers run at once, together."""
    waiting: int
    """Jobs."""
    running: int
    """Jobs."""
    card: ModelCard = NO_CARD
    """As its workers reported last."""


def decode_card(text: bytes | None) -> ModelCard:
    """A model's card from its form in Redis; empty where there is none."""
    return ModelCard.model_validate_json(text) if text else NO_CARD
