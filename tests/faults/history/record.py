"""What clients did and what they saw of it: an operation a line of JSON, each written when it has ended."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

TERMINAL = frozenset({"succeeded", "failed", "canceled"})
MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
# Redis may have done what was asked before it broke off, and whatever raised an unforeseen error may have come later.
UNCERTAIN_CODES = frozenset({None, "store_unavailable", "internal"})
NOT_SENT = "not_sent"  # in place of a problem's code: there was no connection to begin with

Kind = Literal["create", "upload", "poll", "follow", "list", "cancel", "delete", "fetch", "webhook", "audit"]


class Outcome(Enum):
    """Whether an operation took effect."""

    DONE = auto()
    REFUSED = auto()  # it did not
    UNKNOWN = auto()  # it did, did not, or still will


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(_Line):
    """What one account may do; 0 is no limit."""

    creates_per_minute: int = 0
    jobs_in_flight: int = 0


class Seen(_Line):
    """A job as one response showed it."""

    id: str
    status: str
    revision: int | None = None  # where the response carries it
    label: str | None = None  # which request it was made from: each request that is not a copy has its own
    result: str | None = None  # key of its sound in the storage
    at: float | None = None  # when it arrived; None: when the operation ended


class Operation(_Line):
    """One request of one client, or a webhook that was received, or what Redis held in the end ("audit").

    Times are seconds since the history began, on one monotonic clock. A client does one operation at a time.
    """

    client: str
    account: str  # whose jobs `GET /jobs` lists and whose quota counts
    kind: Kind
    call: float
    end: float
    status: int | None = None  # of the response; None: the connection broke, or there was none
    code: str | None = None  # of the problem
    job: str | None = None  # that it is about
    seen: tuple[Seen, ...] = ()
    key: str | None = None  # Idempotency-Key
    labels: tuple[str, ...] = ()  # of the requests that were sent
    copy_of: str | None = None  # the job whose request was sent again
    webhook: bool = False  # the requests name one
    signed: bool = False  # the webhook's signature is right
    result: str | None = None  # key of the file that was fetched
    digest: str | None = None  # SHA-256 of its content

    @property
    def outcome(self) -> Outcome:
        """By the class of its status: a problem means that nothing was done, unless it says that this is not known."""
        if self.status is None:
            return Outcome.REFUSED if self.code == NOT_SENT else Outcome.UNKNOWN
        if self.status < HTTPStatus.BAD_REQUEST:
            return Outcome.DONE
        if self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and self.code in UNCERTAIN_CODES:
            return Outcome.UNKNOWN
        return Outcome.REFUSED

    @property
    def missing(self) -> bool:
        """Whether the response says that the job is not there."""
        return self.status in MISSING

    def __str__(self) -> str:
        return f"{self.kind} by {self.client} at {self.call:.3f}-{self.end:.3f} ({self.status} {self.code or ''})"


@dataclass(frozen=True)
class History:
    """All operations, and what the accounts were allowed."""

    accounts: Mapping[str, Limits]
    operations: tuple[Operation, ...]


_ACCOUNTS = TypeAdapter(dict[str, Limits])


class Recorder:
    """Appends operations to a file. Thread-safe."""

    def __init__(self, path: Path, accounts: Mapping[str, Limits]) -> None:
        self.path = path
        self._file = path.open("wb")
        self._lock = threading.Lock()
        self._file.write(_ACCOUNTS.dump_json(dict(accounts)) + b"\n")

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, operation: Operation) -> None:
        """Writes one operation, whole."""
        line = operation.model_dump_json(exclude_defaults=True).encode()
        with self._lock:
            self._file.write(line + b"\n")
            self._file.flush()


def load(path: Path) -> History:
    """The history in a file."""
    first, *lines = path.read_bytes().splitlines()
    return History(_ACCOUNTS.validate_json(first), tuple(map(Operation.model_validate_json, lines)))


def in_order(operations: Iterable[Operation]) -> list[Operation]:
    """By the time at which they began."""
    return sorted(operations, key=lambda operation: operation.call)
