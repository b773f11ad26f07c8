"""Clients of a model of the service, whose operations overlap: random histories that keep the promise.

Time is simulated. Each operation takes effect in one step at a moment within its time; where its connection breaks, it
takes effect then, later, or never.
"""

import heapq
import random
from collections.abc import Callable
from itertools import count

from tests.faults.history.record import TERMINAL, History, Operation, Seen
from tests.faults.history.service import LIMITS, Job, Reply, Service

LASTS_S = 20.0
SETTLED_S = 40.0
CLIENTS = {"key-1": "key", "key-2": "key", "open-1": "open", "open-2": "open"}
HOOKED = "open"  # the account whose requests name a webhook
WORKERS = 2
BREAKS = 0.15  # of the connections


class Model:
    """Runs all clients for a while, and then until nothing is under way."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.now = 0.0
        self.service = Service(draw, self._notify)
        self.operations: list[Operation] = []
        self._known: dict[str, list[Job]] = {account: [] for account in LIMITS}  # acknowledged
        self._sent: dict[str, list[Operation]] = {account: [] for account in LIMITS}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = count()

    def history(self) -> History:
        """A history from beginning to end."""
        for client in CLIENTS:
            self._at(self.draw.random(), lambda client=client: self._step(client))  # type: ignore[misc]
        for _ in range(WORKERS):
            self._at(self.draw.random(), self._work)
        while self._events:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self._audit()
        return History(LIMITS, tuple(self.operations))

    def _at(self, delay: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + delay, next(self._number), event))

    # Workers

    def _work(self) -> None:
        if self.now > SETTLED_S:
            return
        if job := self.service.claim():
            revision, lasts = job.revision, self.draw.expovariate(2)
            self._at(lasts, lambda: self.service.end(job, revision))
            self._at(lasts, self._work)
        else:
            self._at(0.2, self._work)

    def _notify(self, job: Job) -> None:
        if job.account == HOOKED:
            shown = job.seen(revision=False)
            for _ in range(self.draw.choice([1, 1, 2])):
                self._at(self.draw.uniform(0.1, 3), lambda: None if job.deleted else self._deliver(shown))

    def _deliver(self, shown: Seen) -> None:
        self.operations.append(
            Operation(
                client="receiver", account=HOOKED, kind="webhook", call=0, end=self.now, status=200, job=shown.id,
                seen=(shown,), signed=True,
            )
        )  # fmt: skip

    # Clients

    def _step(self, client: str) -> None:
        if self.now > LASTS_S:
            return
        account = CLIENTS[client]
        kinds = ["create", "list"]
        kinds += ["poll", "poll", "cancel", "delete", "fetch", "follow", "copy"] if self._known[account] else []
        kinds += ["again"] if self._sent[account] else []
        kind = self.draw.choice(kinds)
        if kind == "again":
            self._create(client, self.draw.choice(self._sent[account]))
        elif kind in ("create", "copy"):
            self._create(client, self._request(client, copy=kind == "copy"))
        else:
            self._ask(client, kind)

    def _request(self, client: str, *, copy: bool) -> Operation:
        number, account = next(self._number), CLIENTS[client]
        labels: tuple[str, ...] = tuple(f"{number}-{index}" for index in range(self.draw.choice([1, 1, 1, 2])))
        origin = self.draw.choice(self._known[account]) if copy else None
        return Operation(
            client=client, account=account, kind="create", call=0, end=0, key=f"key-{number}",
            labels=(origin.label,) if origin else labels, copy_of=origin.id if origin else None,
            webhook=account == HOOKED,
        )  # fmt: skip

    def _create(self, client: str, request: Operation) -> None:
        def done(operation: Operation) -> None:
            known, jobs = self._known[operation.account], self.service.jobs
            if operation.status == 202:
                known += [jobs[seen.id] for seen in operation.seen if jobs[seen.id] not in known]
            self._sent[operation.account].append(request)

        operation = request.model_copy(update={"client": client})
        self._perform(operation, lambda: self.service.accept(request, self.now), done)

    def _ask(self, client: str, kind: str) -> None:
        account = CLIENTS[client]
        job = None if kind == "list" else self.draw.choice(self._known[account])
        operation = Operation.model_validate(
            {"client": client, "account": account, "kind": kind, "call": 0, "end": 0, "job": job and job.id}
            | ({"result": job.result} if kind == "fetch" and job else {})
        )
        if kind == "fetch" and (job is None or job.result is None):
            self._at(0.1, lambda: self._step(client))
        elif kind == "follow" and job is not None:
            self._follow(operation, job, [])
        else:
            self._perform(operation, lambda: self.service.serve(kind, account, job))

    def _perform(
        self, operation: Operation, effect: Callable[[], Reply], done: Callable[[Operation], None] = lambda _: None
    ) -> None:
        call, broken = self.now, self.draw.random() < BREAKS
        replies: list[Reply] = []

        def end() -> None:
            reply = replies[0] if replies and not broken else None
            shown = {"status": reply.status, "code": reply.code, "seen": tuple(reply.seen), "digest": reply.digest} \
                if reply else {}  # fmt: skip
            finished = operation.model_copy(update={"call": call, "end": self.now, **shown})
            self.operations.append(finished)
            done(finished)
            self._at(self.draw.expovariate(5), lambda: self._step(operation.client))

        happens = self.draw.uniform(0.001, 0.3)
        returns = self.draw.uniform(0.001, 0.3) if broken else happens + self.draw.uniform(0.001, 0.3)
        if not broken or self.draw.random() < 0.7:
            self._at(happens, lambda: replies.append(effect()))
        self._at(returns, end)

    def _follow(self, operation: Operation, job: Job, shown: list[Seen]) -> None:
        """A stream: it is looked at some moments, and ends with the job."""
        call = operation.call or self.now
        if job.deleted and not shown:
            self._perform(operation, lambda: Reply(410, "gone"))
            return
        if not job.deleted:
            shown.append(job.seen(self.now))
        if job.deleted or job.status in TERMINAL or len(shown) == 4:
            end = {"call": call, "end": self.now, "status": 200, "seen": tuple(shown)}
            self.operations.append(operation.model_copy(update=end))
            self._at(self.draw.expovariate(5), lambda: self._step(operation.client))
        else:
            again = operation.model_copy(update={"call": call})
            self._at(self.draw.uniform(0.1, 1), lambda: self._follow(again, job, shown))

    def _audit(self) -> None:
        """What Redis holds in the end, and every job once more."""
        begun = self.now + 1
        for account in LIMITS:
            listed = tuple(job.seen(revision=False) for job in self.service.listed(account))
            self.operations.append(_audited("list", account, begun, listed))
            for job in self._known[account]:
                reply = {"status": 410} if job.deleted else {"status": 200, "seen": (job.seen(),)}
                poll = _audited("poll", account, begun, ()).model_copy(update={"job": job.id, **reply})
                self.operations.append(poll)
        stored = tuple(job.seen() for job in self.service.jobs.values() if not job.deleted)
        self.operations.append(_audited("audit", "", begun, stored))


def _audited(kind: str, account: str, begun: float, seen: tuple[Seen, ...]) -> Operation:
    fields = {"client": "auditor", "account": account, "kind": kind, "call": begun, "end": begun + 1, "status": 200}
    return Operation.model_validate(fields | {"seen": seen})
