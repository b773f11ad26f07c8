"""Sends a webhook for each job that has ended and names one: at least once, with tries over two hours or more.

A prediction's start is sent, too, where its client asked for that.

What is due is in Redis, written by the same script that ends the job. A dispatcher leases webhooks for a minute, so
that another repeats those of one that dies. webhook_take.lua decides whose turn it is and which hosts are not tried
now.
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

from riffusion import tracing
from riffusion.errors import StoreUnavailable
from riffusion.jobs import threads
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import key_of
from riffusion.jobs.webhooks.resolver import Resolver
from riffusion.jobs.webhooks.sender import Undelivered, post
from riffusion.jobs.webhooks.signature import signed_headers

INTERVAL_S = 1.0
LINES = ("slow", "quick")  # for hosts that are new, slow or silent, and for those whose last response was quick
MAX_TRIES = 32  # at once, of each line in a process
PAUSES_S = (5, 30, 120, 600, 1800, 4800)  # before each retry; 2 h 2 min together
_GONE = 410

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Try:
    """A webhook to be tried once."""

    line: str
    lane: str
    """Its key and host."""
    record: JobRecord


@dataclass(frozen=True)
class _Outcome:
    """How a try ended."""

    state: WebhookState
    error: str = ""
    seconds: float | None = 0.0
    """Until the response; 0 if no request was made, None if there was no response."""


class Dispatcher:
    """Sends what is due, every second and as soon as a try ends. One runs in every process of the API.

    Args:
        present: makes the JSON of a job, or of a prediction, as its owner reads it.
    """

    def __init__(self, store: JobStore, present: Callable[[JobRecord], str]) -> None:
        self._store = store
        self._present = present
        self._keys = KeyStore(store.redis, store.settings)
        self._database = Database(store.redis, store.settings)
        self._pool = ThreadPoolExecutor(MAX_TRIES * len(LINES), thread_name_prefix="webhook")
        self._resolvers = {line: Resolver() for line in LINES}
        self._running: dict[str, list[Future[None]]] = {line: [] for line in LINES}
        self._stopped = False
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when the tries in progress have ended, too."""
        self._stopped = True
        self._wake.set()
        threads.join(self._thread)
        self._pool.shutdown()

    def deliver(self) -> "list[Future[None]]":
        """Begins as many of the due tries as may run at once.

        Raises:
            StoreUnavailable: Redis doesn't respond.
        """
        for line, tries in self._running.items():
            self._running[line] = [each for each in tries if not each.done()]
        free = [MAX_TRIES - len(self._running[line]) for line in LINES]
        begun = []
        for line, lane, flat in self._database.run("webhook_take", *free, resend=False):
            due = _Try(line.decode(), lane.decode(), JobRecord.decode(pairs(flat)))
            begun.append(self._pool.submit(self._try, due))
            self._running[due.line].append(begun[-1])
            begun[-1].add_done_callback(lambda _: self._wake.set())
        return begun

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            try:
                self.deliver()
            except StoreUnavailable as error:
                _log.warning("webhook dispatch failed", code=error.code, detail=str(error))
            except Exception:
                # The thread must not end: without it, this process would send none any more.
                _log.exception("webhook dispatch failed")
            self._wake.wait(INTERVAL_S)

    def _try(self, due: _Try) -> None:
        try:
            with tracing.span("POST webhook", _attributes(due.record), kind="client", parent=due.record.trace) as span:
                self._report(due, self._outcome(due, span))
        except StoreUnavailable as unavailable:
            # It is tried again.
            _log.warning("webhook outcome not stored", job=due.record.id, detail=str(unavailable))
        except Exception:
            _log.exception("webhook try failed", job=due.record.id)

    def _outcome(self, due: _Try, span: tracing.Span) -> _Outcome:
        """Makes the request."""
        webhook = due.record.webhook
        owner = key_of(due.record.tenant) or ""
        secrets = self._keys.webhook_secrets(owner)
        if webhook is None or not secrets:
            return _Outcome(WebhookState.FAILED, "The key whose secret signs it was revoked.")
        body = self._present(due.record).encode() if due.record.prediction else self._message(due.record)
        headers = signed_headers(_message_id(due.record), int(time.time()), body, *secrets) | tracing.carrier()
        resolve = partial(self._resolvers[due.line].resolve, owner)
        began = time.monotonic()
        try:
            status = post(webhook.url, headers, body, anywhere=self._store.settings.webhooks_anywhere, resolve=resolve)
        except Undelivered as undelivered:
            span.fail("undelivered")
            return _Outcome(WebhookState.PENDING, str(undelivered), None)
        seconds = time.monotonic() - began
        span.set({"http.response.status_code": status})
        if 200 <= status < 300:  # noqa: PLR2004
            return _Outcome(WebhookState.DELIVERED, seconds=seconds)
        span.fail(str(status))
        state = WebhookState.FAILED if status == _GONE else WebhookState.PENDING
        return _Outcome(state, f"The answer was {status}.", seconds)

    def _message(self, record: JobRecord) -> bytes:
        happened = datetime.fromtimestamp(record.completed_at or 0, UTC).isoformat()
        head = json.dumps({"type": f"job.{record.status}", "timestamp": happened})
        return f'{head[:-1]}, "data": {self._present(record)}}}'.encode()

    def _report(self, due: _Try, outcome: _Outcome) -> None:
        record, state, pause = due.record, outcome.state, 0.0
        attempts = record.webhook.attempts if record.webhook else 0
        if state is WebhookState.PENDING and attempts > len(PAUSES_S):
            state = WebhookState.FAILED
        elif state is WebhookState.PENDING:
            pause = PAUSES_S[attempts - 1] * random.uniform(1, 1.1)  # noqa: S311 -- so that they aren't all at once
        seconds = "" if outcome.seconds is None else outcome.seconds
        ended = int(record.status.terminal)
        report = (record.id, attempts, state, outcome.error, pause, seconds, record.requeues, ended)
        self._database.run("webhook_report", due.line, due.lane, *report)
        _log.info("webhook tried", job=record.id, attempt=attempts, state=state, error=outcome.error)


def _attributes(record: JobRecord) -> tracing.Attributes:
    tries = record.webhook.attempts if record.webhook else 1
    return {"riffusion.job.id": record.id, "http.request.method": "POST", "http.request.resend_count": tries - 1}


def _message_id(record: JobRecord) -> str:
    """One for its start and for each time that the job has ended: receivers drop messages whose id they know."""
    if not record.status.terminal:
        return f"{record.id}.start"
    return f"{record.id}.{record.requeues}" if record.requeues else record.id
