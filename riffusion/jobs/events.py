"""Events of all jobs, through one Redis subscriber a process, to everyone who waits for a change."""

from redis import Redis


class EventHub:
    """Wakes threads when a job changes. Thread-safe; the subscriber starts with the first wait, after any fork."""

    def __init__(self, redis: Redis) -> None:
        raise NotImplementedError

    def wait(self, job_id: str, revision: int, timeout: float) -> bool:
        """Waits until the job may be newer than `revision`, at most `timeout` seconds; then read the record.

        True without a change is possible (the subscriber reconnected); False means that the time is up or that the hub
        was closed. A change between reading the record and calling this is not missed.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Ends the subscriber and every wait."""
        raise NotImplementedError
