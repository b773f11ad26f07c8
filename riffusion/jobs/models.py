"""The models that have workers: how busy each is, and what its workers report about it."""

import json
import time
from dataclasses import dataclass
from enum import StrEnum

from riffusion.jobs.database import Database
from riffusion.requests import ModelCard

NO_CARD = ModelCard()
CARD_S = 1.0


class ModelState(StrEnum):
    """What an operator lets happen to a model's jobs."""

    ACTIVE = "active"
    """They are accepted and started."""
    PAUSED = "paused"
    """They are accepted and wait."""
    DRAINING = "draining"
    """New ones are refused; those that wait are started."""


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
    state: ModelState = ModelState.ACTIVE


class ModelDirectory:
    """The models and workers in one Redis. Thread-safe.

    Every method raises StoreUnavailable when Redis doesn't respond in time or refuses to write.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cards: dict[str, tuple[ModelCard, float]] = {}  # with the time until which they are cached

    def register(self, worker: str, model: str, slots: int, card: ModelCard = NO_CARD) -> None:
        """Lists a worker as alive for the length of a lease; to be repeated with every heartbeat."""
        description = card.model_dump_json(exclude={"qualities"})
        qualities = card.model_dump_json(include={"qualities"})
        self._database.run("register_worker", worker, model, slots, description, qualities)

    def unregister(self, worker: str) -> None:
        """Takes a worker that stops off the list."""
        self._database.run("register_worker", worker, "", 0)

    def loads(self) -> dict[str, ModelLoad]:
        """Every model that ever had a worker, and the default one once it has had a job."""
        found = self._database.run("list_models")
        return {
            model.decode(): ModelLoad(
                workers, slots, waiting, running, _card(card, qualities), ModelState(state.decode())
            )
            for model, workers, slots, waiting, running, card, qualities, state in found
        }

    def alive(self) -> dict[str, ModelLoad]:
        """The models that have workers now."""
        return {model: load for model, load in self.loads().items() if load.workers}

    def card(self, model: str) -> ModelCard:
        """What the model's workers reported last, at most a second old; an empty card where it never had one."""
        card, until = self._cards.get(model, (NO_CARD, 0.0))
        if time.monotonic() >= until:
            found = self._database.hash(f"model:{model}")
            card = _card(found.get(b"card"), found.get(b"qualities"))
            if card != NO_CARD:
                self._cards[model] = card, time.monotonic() + CARD_S
        return card


def _card(description: bytes | None, qualities: bytes | None) -> ModelCard:
    """The card that was written in two parts; the second lacks where only workers of the version before ran."""
    parts = [json.loads(part) for part in (description, qualities) if part]
    # A worker of a later version may report more.
    return ModelCard.model_validate({name: value for part in parts for name, value in part.items()}, extra="ignore")
