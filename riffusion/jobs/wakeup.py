"""Wake-ups: Celery messages that say no more than that there is work for a model."""

from riffusion.settings import Settings

TASK = "riffusion.work"


def queue_name(model: str) -> str:
    """The Celery queue of a model's workers; on Redis, also the key of the list that holds its messages."""
    return f"riffusion.{model}"


class WakeUps:
    """Publishes wake-ups. Thread-safe."""

    def __init__(self, settings: Settings) -> None:
        raise NotImplementedError

    def publish(self, model: str, count: int = 1) -> None:
        """Sends `count` wake-ups to a model's workers.

        Never raises for a broker that doesn't answer: the reaper makes up for what is missing, so the job is not late
        by more than about a second.
        """
        raise NotImplementedError
