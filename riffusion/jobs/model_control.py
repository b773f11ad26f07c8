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

    def set_state(self, model: str, state: ModelState) -> None:
        """Pauses, drains or resumes (`ACTIVE`) a model; jobs that run are left alone. It lasts until it is set again.

        Raises:
            NotFound: there is no such model.
        """
        if not self._database.run("set_model_state", model, state):
            raise NotFound(f"There is no model {model}; `riffusion models list` shows those there are.")

    def retire(self, model: str) -> int:
        """Fails the jobs that wait for a model without workers, as `model_retired`, and forgets the model.

        It is as if it never had a worker: new jobs for it are refused. If a worker starts, it is there again.

        Returns:
            How many jobs failed.

        Raises:
            NotFound: there is no such model.
            Conflict: it is the default model, has a worker, or has jobs that a lost worker ran a moment ago.
        """
        failed = 0
        while True:
            match self._database.run("retire_model", model):
                case [b"failed", count]:
                    failed += count
                case [b"retired"]:
                    return failed
                case [b"no model"]:
                    raise NotFound(f"There is no model {model}; `riffusion models list` shows those there are.")
                case [b"default"]:
                    raise Conflict(f"Model {model} is the default of RIFFUSION_MODEL; set another one first.")
                case [b"workers", count]:
                    raise Conflict(f"Model {model} has {count} workers; drain it and stop them first.")
                case [b"running", count]:
                    raise Conflict(f"{count} jobs of model {model} still run, or their worker was just lost: wait.")
