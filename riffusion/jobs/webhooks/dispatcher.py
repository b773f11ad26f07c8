"""Sends a webhook for each job that has ended and names one: at least once each, over two hours and more if need be.

What is due is in Redis, written by the same script that ends the job; one takes webhooks for a minute at a time,
so that another resumes where one dies. Whose turn it is and which hosts are left alone is decided by webhook_take.lua.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import structlog

from riffusion.errors import StoreUnavailable
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import key_of
from riffusion.jobs.webhooks.resolver import Resolver
from riffusion.jobs.webhooks.sender import Undelivered, post
from riffusion.jobs.webhooks.signature import signed_headers

INTERVAL_S = 1.0
LINES = ("slow", "quick")  # hosts that are new, slow or don't respond, and those that last responded soon
PLACES = 32  # tries at once of each line, a process
PAUSES_S = (5, 30, 120, 600, 1800, 4800)  # before each further try; 2 h 2 min together
_GONE = 410

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Taken:
    """A webhook to be tried once."""

    line: str
    lane: str  # its key and host
    record: JobRecord


@dataclass(frozen=True)
class _Outcome:
    """What became of a try."""

    state: WebhookState
    error: str = ""
    seconds: float | None = 0.0  # until the response, 0 if none was needed; None: there was none


class Dispatcher:
    """Delivers what is due, every second and as soon as a place is free. One runs in every process of the API.

    Args:
        present: the JSON of a job, as its owner sees it.
    """

    def __init__(self, store: JobStore, present: Callable[[JobRecord], str]) -> None:
        self._store = store
        self._present = present
        self._keys = KeyStore(store.redis, store.settings)
        self._database = Database(store.redis, store.settings)
        self._pool = ThreadPoolExecutor(PLACES * len(LINES), thread_name_prefix="webhook")
        self._resolvers = {line: Resolver() for line in LINES}
        self._running: dict[str, list[Future[None]]] = {line: [] for line in LINES}
        self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when the tries on their way have ended, too."""
        self._stopped = True
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown()

    def deliver(self) -> "list[Future[None]]":
        """Begins what is due and there is room for. Raises StoreUnavailable."""
        for line, tries in self._running.items():
            self._running[line] = [each for each in tries if not each.done()]
        free = [PLACES - len(self._running[line]) for line in LINES]
        begun = []
        for line, lane, flat in self._database.run("webhook_take", *free, resend=False):
            taken = _Taken(line.decode(), lane.decode(), JobRecord.decode(pairs(flat)))
            begun.append(self._pool.submit(self._try, taken))
            self._running[taken.line].append(begun[-1])
            begun[-1].add_done_callback(lambda _: self._wake.set())
        return begun

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            try:
                self.deliver()
            except StoreUnavailable as error:
                _log.warning("dispatcher_failed", code=error.code, detail=str(error))
            except Exception:
                _log.exception("dispatcher_failed")  # the thread must live: nobody else would go on
            self._wake.wait(INTERVAL_S)

    def _try(self, taken: _Taken) -> None:
        try:
            self._report(taken, self._outcome(taken))
        except StoreUnavailable as unavailable:
            detail = str(unavailable)
            _log.warning("webhook_not_reported", job=taken.record.id, detail=detail)  # it is tried once more
        except Exception:
            _log.exception("webhook_failed", job=taken.record.id)

    def _outcome(self, taken: _Taken) -> _Outcome:
        """Tries once."""
        webhook = taken.record.webhook
        owner = key_of(taken.record.client) or ""
        key = self._keys.get(owner)
        if webhook is None or key is None:
            return _Outcome(WebhookState.FAILED, "The key whose secret signs it was revoked.")
        body = self._message(taken.record)
        headers = signed_headers(taken.record.id, int(time.time()), body, key.webhook_secret)
        resolve = partial(self._resolvers[taken.line].resolve, owner)
        began = time.monotonic()
        try:
            status = post(webhook.url, headers, body, anywhere=self._store.settings.webhooks_anywhere, resolve=resolve)
        except Undelivered as undelivered:
            return _Outcome(WebhookState.PENDING, str(undelivered), None)
        seconds = time.monotonic() - began
        if 200 <= status < 300:  # noqa: PLR2004
            return _Outcome(WebhookState.DELIVERED, seconds=seconds)
        state = WebhookState.FAILED if status == _GONE else WebhookState.PENDING
        return _Outcome(state, f"The answer was {status}.", seconds)

    def _message(self, record: JobRecord) -> bytes:
        happened = datetime.fromtimestamp(record.completed_at or 0, UTC).isoformat()
        head = json.dumps({"type": f"job.{record.status}", "timestamp": happened})
        return f'{head[:-1]}, "data": {self._present(record)}}}'.encode()

    def _report(self, taken: _Taken, outcome: _Outcome) -> None:
        record, state, pause = taken.record, outcome.state, 0.0
        attempts = record.webhook.attempts if record.webhook else 0
        if state is WebhookState.PENDING and attempts > len(PAUSES_S):
            state = WebhookState.FAILED
        elif state is WebhookState.PENDING:
            pause = PAUSES_S[attempts - 1] * random.uniform(1, 1.1)  # noqa: S311 -- not all at once
        seconds = "" if outcome.seconds is None else outcome.seconds
        report = (record.id, attempts, state, outcome.error, pause, seconds)
        self._database.run("webhook_report", taken.line, taken.lane, *report)
        _log.info("webhook", job=record.id, attempt=attempts, state=state, error=outcome.error)
