"""One job after another: claim, fetch the inputs, make the clip, store the files, finish.

Execution may happen twice, the commit can't: each attempt has a folder of its own, and `finish` refuses an attempt that
lost its job. The folder of an attempt that ends without a result is deleted by the sweep.
"""

import logging
import secrets
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Protocol

from riffusion import tracing
from riffusion.diffusion.stages import stage
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
from worker.attempt_span import attempt_span
from worker.heartbeat import Heartbeat
from worker.retry import BACKOFF, RetryPolicy, call_store

log = logging.getLogger(__name__)


class Generates(Protocol):
    """Makes the clip of a request; see `riffusion.generate.Generator`."""

    @property
    def alive(self) -> bool:
        """Whether it still works: false once its device is lost."""

    @property
    def card(self) -> ModelCard:
        """The description of its model."""

    def load_ahead(self) -> None:
        """Loads what only some requests need; called once, beside the first jobs."""

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        """The request's clip."""

    def close(self) -> None:
        """Stops, with any request in progress."""


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
        self._retry = RetryPolicy()
        metrics.STORAGE_UP.set_function(lambda: self._retry.storage_available)
        self._slots = threading.BoundedSemaphore(settings.slots)

    def stop(self) -> None:
        """Takes no new job; running ones continue."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it takes no new job."""
        return self._stopping.is_set()

    @property
    def broken(self) -> bool:
        """Whether this process can't run jobs any more."""
        return not self._generator.alive

    def work(self) -> None:
        """Runs jobs until none waits. A message only says that there is work; the store chooses the job."""
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
        while (claimed := self._claim()) is not None:
            self._run(*claimed)

    def _claim(self) -> tuple[JobRecord, float] | None:
        """The next job, and when the call that claimed it began, Unix seconds."""
        nonce = secrets.token_hex(16)  # a claim whose reply was lost is repeated and returns the same job
        pauses = iter(BACKOFF)
        while not self.stopping and not self.broken:
            # While results can't be stored, no more of them are made.
            if not self._retry.storage_available:
                self._stopping.wait(BACKOFF.first_s)
                continue
            began = time.time()
            try:
                record = self._store.claim(self._settings.model, self._heartbeat.name, nonce)
            except StoreUnavailable:
                self._stopping.wait(next(pauses))
            else:
                return (record, began) if record else None
        return None

    def _run(self, record: JobRecord, claimed_at: float) -> None:
        attempt = Attempt(record, self._settings)
        with (
            self._heartbeat.hold(attempt),
            metrics.RUNNING.track_inprogress(),
            attempt_span(record, self._store, claimed_at) as span,
        ):
            self._run_attempt(record, attempt, span)

    def _run_attempt(self, record: JobRecord, attempt: Attempt, span: tracing.Span) -> None:
        began = time.monotonic()
        outcome = self._attempt(record, attempt)
        if outcome != "succeeded":
            span.fail(outcome)
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
        """Runs the job and stores its outcome.

        Returns:
            `succeeded`, a failure's code, `given_back`, or `lost`.
        """
        outcome: Outcome
        try:
            outcome = self._make(record, attempt)
        except GivenBack:
            call_store(attempt, partial(self._store.release, record.id, record.token))
            self._clean_up(record, attempt)
            return GivenBack.code
        except (LeaseLost, Canceled):
            self._clean_up(record, attempt)
            return "lost"
        except RiffusionError as error:
            outcome = Failure(error.code, str(error))
        except MemoryError:
            log.exception("job out of memory", extra={"job": record.id})
            outcome = Failure(OutOfMemory.code, "The job doesn't fit into the worker's memory.")
        except Exception:
            # From any library: the log has the traceback, but the tenant gets neither it nor a path.
            log.exception("job failed unexpectedly", extra={"job": record.id})
            outcome = Failure(RiffusionError.code, "The worker failed unexpectedly; its log says why.")
        with tracing.span("finish"):
            kept = call_store(attempt, partial(self._store.finish, record.id, record.token, outcome))
        if not kept:
            self._clean_up(record, attempt)
            return "lost"
        return outcome.code if isinstance(outcome, Failure) else "succeeded"

    def _make(self, record: JobRecord, attempt: Attempt) -> Success:
        request = parse(record.request)
        call = partial(self._retry.call, attempt)
        inputs = {}
        for name, key in record.inputs.items():
            with tracing.span("fetch"):
                inputs[name] = call(partial(self._files.get, key))
        clip = self._generator.run(request, inputs, attempt)
        attempt.check()
        image, audio = _keys(record, clip.audio_format)

        def put(key: str, data: bytes) -> None:
            suffix = key[key.rindex(".") :]
            with stage("store", {"riffusion.file.type": suffix, "riffusion.file.bytes": len(data)}):
                call(partial(self._files.put, key, data, CONTENT_TYPES[suffix]))

        puts = [partial(put, image, clip.png), partial(put, audio, clip.audio)]
        with ThreadPoolExecutor(len(puts)) as pool:  # together, because a client waits
            for done in [pool.submit(copy_context().run, each) for each in puts]:
                done.result()
        return Success(
            JobOutput(
                ImageOutput(image, clip.width, clip.height, len(clip.png)),
                AudioOutput(
                    audio, clip.duration_s, clip.sample_rate, clip.channels, clip.audio_format, len(clip.audio)
                ),
            ),
            clip.warnings,
        )

    def _clean_up(self, record: JobRecord, attempt: Attempt) -> None:
        """Has the files of this attempt deleted."""
        call_store(attempt, partial(self._store.clean_up_attempt, record.id, record.folder))


def _keys(record: JobRecord, audio_format: str) -> tuple[str, str]:
    return f"{record.folder}clip.png", f"{record.folder}clip.{audio_format}"
