"""All clients of a history, from their first request to a last reading of every job."""

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from riffusion.jobs.database import Database
from riffusion.jobs.record import JobRecord, WebhookState
from riffusion.jobs.store import JobStore
from tests.faults.history.account import Account
from tests.faults.history.clients import LABEL, Client
from tests.faults.history.receiver import receiving
from tests.faults.history.record import Limits, Operation, Recorder, Seen
from tests.faults.history.wire import Wire

SCARCE = Limits(creates_per_minute=40, jobs_in_flight=3)
AMPLE = Limits(creates_per_minute=600, jobs_in_flight=500)


@dataclass
class Crowd:
    """One or two clients an account, each in a thread of its own."""

    store: JobStore  # past all proxies
    history: Recorder
    began: float
    accounts: list[Account]
    clients: list[Client]
    over: Event = field(default_factory=Event)
    failures: list[str] = field(default_factory=list)  # of the clients themselves
    _threads: list[Thread] = field(default_factory=list)

    def start(self) -> None:
        self._threads = [Thread(target=self._run, args=(client,)) for client in self.clients]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Returns when the last operation has ended."""
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, client: Client) -> None:
        try:
            client.run(self.over)
        except Exception as error:
            self.failures.append(f"{client.wire.client}: {error!r}")

    def pending(self) -> list[str]:
        """Jobs that haven't ended, and webhooks that haven't arrived. Raises StoreUnavailable."""
        found = list(records(self.store))
        running = [record.id for record in found if not record.status.terminal]
        due = [record.id for record in found if record.webhook and record.webhook.state == WebhookState.PENDING]
        # One that was delivered may be due again, a minute later: Redis was away when the dispatcher reported it.
        return running + [job_id for job_id in due if not any(job_id in account.delivered for account in self.accounts)]

    def accepted(self) -> int:
        """Jobs whose acceptance a client saw."""
        return sum(len(account.jobs) + len(account.deleted) for account in self.accounts)

    def results(self) -> set[str]:
        """The files of jobs that are there. Raises StoreUnavailable."""
        outputs = [record.result for record in records(self.store) if record.result]
        return {key for output in outputs for key in (output.image.key, output.audio.key)}

    def uploads(self) -> set[str]:
        """Files that were uploaded, or are missing where the storage refused them. Raises StoreUnavailable."""
        names = self.store.redis.scan_iter(match="upload:*", count=1000)
        return {_database(self.store).hash(name.decode())[b"key"].decode() for name in names}

    def audit(self) -> None:
        """Records what Redis holds, and reads every job once more, when nothing is pending and all is well."""
        call = time.monotonic() - self.began
        seen = tuple(_stored(record) for record in records(self.store))
        end = time.monotonic() - self.began
        self.history.add(
            Operation(client="auditor", account="", kind="audit", call=call, end=end, status=200, seen=seen)
        )
        for account in self.accounts:
            wire = next(client.wire for client in self.clients if client.account is account)
            wire.listing()
            for job in account.known():
                wire.poll(job.id)
                wire.fetch(job.id)
            for job_id in account.deleted:
                wire.poll(job_id)


@contextmanager
def crowd(url: str, store: JobStore, path: Path, draw: random.Random) -> Iterator[Crowd]:
    """Clients of the API at `url`, whose history goes into a file."""
    limited = Account.with_key("limited", store, SCARCE)
    hooked = Account.with_key("hooked", store, AMPLE)
    alone, pair = Account.without_key("alone", "127.0.0.2"), Account.without_key("pair", "127.0.0.3")
    accounts, began = [limited, hooked, alone, pair], time.monotonic()
    with ExitStack() as resources:
        history = resources.enter_context(Recorder(path, {account.name: account.limits for account in accounts}))
        resources.enter_context(receiving(hooked, history, began, random.Random(draw.random())))  # noqa: S311
        clients = [
            Client(Wire(f"{account.name}-{number}", account, url, history, began), random.Random(draw.random()))  # noqa: S311
            for account in accounts for number in range(1 if account is alone else 2)
        ]  # fmt: skip
        for client in clients:
            resources.callback(client.wire.close)
        crowd = Crowd(store, history, began, accounts, clients)
        resources.callback(crowd.stop)
        yield crowd


def records(store: JobStore) -> Iterator[JobRecord]:
    """The clients' jobs as Redis holds them."""
    for key in store.redis.scan_iter(match="job:*", count=1000):
        if fields := _database(store).hash(key.decode()):
            record = JobRecord.decode(fields)
            if str(record.request.get("negative_prompt")).startswith(LABEL):
                yield record


def _database(store: JobStore) -> Database:
    return Database(store.redis, store.settings)


def _stored(record: JobRecord) -> Seen:
    return Seen(
        id=record.id, status=record.status, revision=record.revision, label=record.request["negative_prompt"],
        result=record.result.audio.key if record.result else None,
    )  # fmt: skip
