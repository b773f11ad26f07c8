"""Events of all jobs: one Redis subscriber per process wakes the threads that wait for a change."""

import threading
import time
from collections import OrderedDict, defaultdict

from redis import Redis
from redis.exceptions import RedisError

from riffusion.jobs import threads

CHANNEL = "events"  # each message is "<job id> <revision>"
_REMEMBERED = 4096  # jobs
_POLL_S = 1.0
_SILENCE_S = 5.0


class EventHub:
    """Wakes threads when a job changes. Thread-safe; the subscriber starts with the first wait, after any fork."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, set[threading.Event]] = defaultdict(set)
        # The latest revisions received, for changes between reading a record and waiting for the next one.
        self._revisions: OrderedDict[str, int] = OrderedDict()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def wait(self, job_id: str, revision: int, timeout: float) -> int:
        """Waits for a revision beyond `revision`, for `timeout` seconds at most; then the caller reads the record.

        May return sooner without a change (the subscriber has just connected). A change between reading the record and
        calling this is not missed.

        Returns:
            The latest revision received, or `revision`. The record may be older: after a failover to a replica that
            lagged, or from a backup. To wait again, pass the larger of the two; the smaller would return at once.
        """
        woken = threading.Event()
        with self._lock:
            if self._closed.is_set():
                return revision
            if self._thread is None:
                self._thread = threading.Thread(target=self._listen, name="events", daemon=True)
                self._thread.start()
            if self._revisions.get(job_id, revision) > revision:
                return self._revisions[job_id]
            self._waiting[job_id].add(woken)
        try:
            woken.wait(timeout)
        finally:
            with self._lock:
                self._waiting[job_id].discard(woken)
                if not self._waiting[job_id]:
                    del self._waiting[job_id]
                received = self._revisions.get(job_id, revision)
        return max(received, revision)

    def close(self) -> None:
        """Ends the subscriber and every wait."""
        self._closed.set()
        self._wake_all()
        if self._thread is not None:
            threads.join(self._thread)

    def _listen(self) -> None:
        while not self._closed.is_set():
            try:
                self._subscribe()
            except RedisError:
                self._closed.wait(_POLL_S)

    def _subscribe(self) -> None:
        with self._redis.pubsub() as subscriber:  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
            subscriber.subscribe(CHANNEL)
            received_at = time.monotonic()
            while not self._closed.is_set() and time.monotonic() - received_at < _SILENCE_S:
                message = subscriber.get_message(timeout=_POLL_S)
                if message is None:
                    subscriber.ping()  # its reply counts; where none comes, the connection is dead
                    continue
                received_at = time.monotonic()
                if message["type"] == "subscribe":
                    self._wake_all()  # changes before this moment were missed
                elif message["type"] == "message":
                    job_id, revision = message["data"].decode().split()
                    self._publish(job_id, int(revision))

    def _publish(self, job_id: str, revision: int) -> None:
        with self._lock:
            self._revisions[job_id] = revision
            self._revisions.move_to_end(job_id)
            if len(self._revisions) > _REMEMBERED:
                self._revisions.popitem(last=False)
            for woken in self._waiting.get(job_id, ()):
                woken.set()

    def _wake_all(self) -> None:
        with self._lock:
            for waiters in self._waiting.values():
                for woken in waiters:
                    woken.set()
