"""What an operator does to a model as a whole: pause, drain, resume, retire."""

from redis import Redis

from riffusion.errors import Conflict, NotFound
from riffusion.jobs.database import Database
from riffusion.jobs.models import ModelState
from riffusion.settings import Settings


class ModelControl:
    """The models of one Redis. Thread-safe; every method raises StoreUnavailable when Redis doesn't respond."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._database = Database(redis, settings)
        self._default = settings.model

    def state(self, model: str) -> ModelState:
        """What is allowed to happen to the model's jobs now.

        Raises:
            NotFound: there is no such model.
        """
        if model != self._default and not self._database.command("SISMEMBER", "models", model):
            raise _unknown(model)
        found: bytes | None = self._database.command("HGET", f"model:{model}", "state")
        return ModelState(found.decode()) if found else ModelState.ACTIVE

    def set_state(self, model: str, state: ModelState) -> None:
        """Pauses, drains or resumes (`ACTIVE`) a model; jobs that run are left alone. It lasts until it is set again.

        Raises:
            NotFound: there is no such model.
        """
        if not self._database.run("set_model_state", model, state):
            raise _unknown(model)

    def check_retirement(self, model: str) -> None:
        """Returns if `retire` would retire the model now, and raises as it would otherwise."""
        self._retire(model, do=False)

    def retire(self, model: str) -> int:
        """Fails the jobs that wait for a model without workers, as `model_retired`, and forgets the model.

        It is as if it never had a worker: new jobs for it are refused. If a worker starts, it is there again.

        Returns:
            How many jobs failed.

        Raises:
            NotFound: there is no such model.
            Conflict: it is the default model, has a worker, or has jobs that a lost worker ran a moment ago.
        """
        total = 0
        while failed := self._retire(model, do=True):
            total += failed
        return total

    def _retire(self, model: str, *, do: bool) -> int:
        """One step, and how many jobs it failed; 0 once the model is forgotten."""
        match self._database.run("retire_model", model, int(do)):
            case [b"failed", int(count)]:
                return count
            case [b"no model"]:
                raise _unknown(model)
            case [b"default"]:
                raise Conflict(f"Model {model} is the default of RIFFUSION_MODEL; set another one first.")
            case [b"workers", count]:
                raise Conflict(f"Model {model} has {count} workers; drain it and stop them first.")
            case [b"running", count]:
                raise Conflict(f"{count} jobs of model {model} still run, or their worker was just lost: wait.")
        return 0


def _unknown(model: str) -> NotFound:
    return NotFound(f"There is no model {model}; `riffusion models list` shows those there are.")
