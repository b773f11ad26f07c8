"""One job after another: claim, fetch the inputs, make the clip, store the files, finish.

Execution may happen twice, the commit can't: each attempt has a folder of its own, and `finish` refuses an attempt that
lost its job. An attempt that is dropped has its folder swept and reports nothing more.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from riffusion.errors import (
    Canceled,
    LeaseLost,
    OutOfMemory,
    RiffusionError,
    StoreUnavailable,
)
from riffusion.generate import Clip, Control
from riffusion.jobs.record import AudioOutput, Failure, ImageOutput, JobOutput, JobRecord, Outcome, Success
from riffusion.jobs.store import JobStore
from riffusion.requests import AnyRequest, ModelCard, parse
from riffusion.settings import Settings
from riffusion.storage import CONTENT_TYPES, Storage
from worker import metrics
from worker.attempt import Attempt, GivenBack
from worker.heartbeat import Heartbeat
from worker.retry import FIRST_PAUSE_S, LONGEST_PAUSE_S, Patience

log = logging.getLogger(__name__)

T = TypeVar("T")


class Generates(Protocol):
    """What turns a request into a clip; see `riffusion.generate.Generator`."""

    @property
    def alive(self) -> bool:
        """Whether it still can."""

    @property
    def card(self) -> ModelCard:
        """What there is to know of its model now."""

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        """The request's clip."""

    def close(self) -> None:
        """Ends what runs."""


class Runner:
    """Runs a worker's jobs, no more at once than the worker has slots."""

    def __init__(
        self, store: JobStore, files: Storage, generator: Generates, heartbeat: Heartbeat, settings: Settings
    ) -> None:
        self._store = store
        self._files = files
        self._generator = generator
        self._heartbeat = heartbeat
        self._settings = settings
        self._stopping = threading.Event()
        self._patience = Patience()
        self._slots = threading.BoundedSemaphore(settings.slots)

    def stop(self) -> None:
        """Takes no new job; what runs goes on."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it takes no new job."""
        return self._stopping.is_set()

    @property
    def broken(self) -> bool:
        """Whether no job can be run any more, by this process."""
        return not self._generator.alive

    def work(self) -> None:
        """Runs jobs until none waits. A message only says that there is work; the store says which."""
        with self._slots:
            self._work()

    def work_in_a_free_slot(self) -> None:
        """Runs jobs until none waits, unless all slots are taken."""
        if self._slots.acquire(blocking=False):
            try:
                self._work()
            finally:
                self._slots.release()

    def _work(self) -> None:
        while (record := self._claim()) is not None:
            self._run(record)

    def _claim(self) -> JobRecord | None:
        nonce = secrets.token_hex(16)  # a claim whose reply got lost is repeated and returns the same job
        pause = FIRST_PAUSE_S
        while not self.stopping and not self.broken:
            # A result that can't be stored now is no reason to make more of them.
            if not self._patience.storage_answers:
                self._stopping.wait(FIRST_PAUSE_S)
                continue
            try:
                return self._store.claim(self._settings.model, self._heartbeat.name, nonce)
            except StoreUnavailable:
                self._stopping.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
        return None

    def _run(self, record: JobRecord) -> None:
        began = time.monotonic()
        attempt = Attempt(record, self._settings)
        with self._heartbeat.hold(attempt), metrics.RUNNING.track_inprogress():
            outcome = self._attempt(record, attempt)
        metrics.ENDED.labels(record.mode, outcome).inc()
        if outcome == "succeeded":
            metrics.SECONDS.labels(record.mode).observe(time.monotonic() - began)
        log.info(
            "attempt ended",
            extra={
                "job": record.id, "mode": record.mode, "attempt": record.attempts, "outcome": outcome,
                "seconds": round(time.monotonic() - began, 3),
            },
        )  # fmt: skip

    def _attempt(self, record: JobRecord, attempt: Attempt) -> str:
        """Runs the job and tells the store how it went.

        Returns:
            `succeeded`, a failure's code, `given_back`, or `lost`.
        """
        outcome: Outcome
        try:
            outcome = self._make(record, attempt)
        except GivenBack:
            self._answered(attempt, partial(self._store.release, record.id, record.token))
            self._discard(record, attempt)
            return GivenBack.code
        except (LeaseLost, Canceled):
            self._discard(record, attempt)
            return "lost"
        except RiffusionError as error:
            outcome = Failure(error.code, str(error))
        except MemoryError:
            log.exception("a job didn't fit into memory", extra={"job": record.id})
            outcome = Failure(OutOfMemory.code, "The job doesn't fit into the worker's memory.")
        except Exception:
            # Whatever the libraries raise: the log has the stack, the caller gets neither it nor a path.
            log.exception("a job failed unexpectedly", extra={"job": record.id})
            outcome = Failure(RiffusionError.code, "The worker failed unexpectedly; its log says why.")
        if not self._answered(attempt, partial(self._store.finish, record.id, record.token, outcome)):
            self._discard(record, attempt)
            return "lost"
        return outcome.code if isinstance(outcome, Failure) else "succeeded"

    def _make(self, record: JobRecord, attempt: Attempt) -> Success:
        request = parse(record.request)
        insist = partial(self._patience.insist, attempt)
        inputs = {name: insist(partial(self._files.get, key)) for name, key in record.inputs.items()}
        clip = self._generator.run(request, inputs, attempt)
        attempt.check()
        image, audio = _keys(record, clip.audio_format)
        puts = (
            partial(self._files.put, image, clip.png, CONTENT_TYPES[".png"]),
            partial(self._files.put, audio, clip.audio, CONTENT_TYPES[f".{clip.audio_format}"]),
        )
        with ThreadPoolExecutor(len(puts)) as pool:  # a client waits: for the slower of the two, not for both in turn
            list(pool.map(insist, puts))
        return Success(
            JobOutput(
                ImageOutput(image, clip.width, clip.height, len(clip.png)),
                AudioOutput(
                    audio, clip.duration_s, clip.sample_rate, clip.channels, clip.audio_format, len(clip.audio)
                ),
            ),
            clip.warnings,
        )

    def _answered(self, attempt: Attempt, operation: Callable[[], T]) -> T:
        """Repeats an operation on the store, which does no harm, until Redis answers: nothing made is thrown away."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return operation()
            except StoreUnavailable as error:
                log.warning("redis doesn't answer; trying again", extra={"reason": str(error)})
                attempt.touch()
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    def _discard(self, record: JobRecord, attempt: Attempt) -> None:
        """Has deleted what this attempt stored."""
        self._answered(attempt, partial(self._store.clean_up_attempt, record.id, record.folder))


def _keys(record: JobRecord, audio_format: str) -> tuple[str, str]:
    return f"{record.folder}clip.png", f"{record.folder}clip.{audio_format}"
