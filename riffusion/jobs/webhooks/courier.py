"""Tells the ends of jobs to those who want to hear of them: at least once each, over two hours and more if need be.

What is to be told and when is in Redis, written by the same script that ends the job; a courier takes what is due for a
minute at a time, so that another goes on where one dies.
"""

import json
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import structlog

from riffusion.errors import StoreUnavailable
from riffusion.jobs.clients import key_of
from riffusion.jobs.database import Database, pairs
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from riffusion.jobs.webhooks.sender import Undelivered, post
from riffusion.jobs.webhooks.signature import signed_headers

INTERVAL_S = 1.0
PARALLEL = 8  # tries at once, a process: each may take as long as its receiver does
PAUSES_S = (5, 30, 120, 600, 1800, 4800)  # before each further try; 2 h 2 min together
_GONE = 410

_log = structlog.get_logger(__name__)


class Courier:
    """Delivers what is due, every second. One runs in every process of the API.

    Args:
        present: the JSON of a job, as its owner sees it.
    """

    def __init__(self, store: JobStore, present: Callable[[JobRecord], str]) -> None:
        self._store = store
        self._present = present
        self._keys = KeyStore(store.redis, store.settings)
        self._database = Database(store.redis, store.settings)
        self._pool = ThreadPoolExecutor(PARALLEL, thread_name_prefix="webhook")
        self._running: list[Future[None]] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; returns when the tries on their way have ended, too."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._pool.shutdown()

    def deliver(self) -> "list[Future[None]]":
        """Begins what is due and there is room for. Raises StoreUnavailable."""
        self._running = [each for each in self._running if not each.done()]
        room = PARALLEL - len(self._running)
        taken = self._database.run("webhooks", room, resend=False) if room else []
        begun = [self._pool.submit(self._try, JobRecord.decode(pairs(flat))) for flat in taken]
        self._running += begun
        return begun

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL_S):
            try:
                self.deliver()
            except StoreUnavailable as error:
                _log.warning("courier_failed", code=error.code, detail=str(error))
            except Exception:
                _log.exception("courier_failed")  # the thread must live: nobody else would go on

    def _try(self, record: JobRecord) -> None:
        try:
            state, error = self._outcome(record)
            self._report(record, state, error)
        except StoreUnavailable as unavailable:
            _log.warning("webhook_not_reported", job=record.id, detail=str(unavailable))  # it is tried once more
        except Exception:
            _log.exception("webhook_failed", job=record.id)

    def _outcome(self, record: JobRecord) -> tuple[WebhookState, str]:
        """Tries once: what it is from now on, and what went wrong."""
        webhook = record.webhook
        key = self._keys.get(key_of(record.client) or "")
        if webhook is None or key is None:
            return WebhookState.FAILED, "The key whose secret signs it was revoked."
        body = self._message(record)
        headers = signed_headers(record.id, int(time.time()), body, key.webhook_secret)
        try:
            status = post(webhook.url, headers, body, anywhere=self._store.settings.webhooks_anywhere)
        except Undelivered as undelivered:
            return WebhookState.PENDING, str(undelivered)
        if 200 <= status < 300:  # noqa: PLR2004
            return WebhookState.DELIVERED, ""
        return WebhookState.FAILED if status == _GONE else WebhookState.PENDING, f"The answer was {status}."

    def _message(self, record: JobRecord) -> bytes:
        happened = datetime.fromtimestamp(record.completed_at or 0, UTC).isoformat()
        head = json.dumps({"type": f"job.{record.status}", "timestamp": happened})
        return f'{head[:-1]}, "data": {self._present(record)}}}'.encode()

    def _report(self, record: JobRecord, state: WebhookState, error: str) -> None:
        attempts = record.webhook.attempts if record.webhook else 0
        pause = 0.0
        if state is WebhookState.PENDING and attempts > len(PAUSES_S):
            state = WebhookState.FAILED
        elif state is WebhookState.PENDING:
            pause = PAUSES_S[attempts - 1] * random.uniform(1, 1.1)  # noqa: S311 -- not all at once
        self._database.run("webhook", record.id, attempts, state, error, pause)
        _log.info("webhook", job=record.id, attempt=attempts, state=state, error=error)
