"""A job whose client waits for its end within one HTTP request, because it knows no jobs.

Records, limits, fairness and keys are those of `POST /jobs`.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import request as incoming

from api.acceptance import accept, wake_workers
from api.authentication import caller
from api.held_requests import Snapshot
from api.metrics import mark_held
from api.services import services
from riffusion.errors import NotFound, Overloaded, ResultLost
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobOutput, JobRecord
from riffusion.requests import AnyRequest


@dataclass(frozen=True)
class ResultFiles:
    """What a job made."""

    png: bytes
    audio: bytes


def submit(submission: Submission) -> Snapshot:
    """Accepts a request.

    Raises:
        RiffusionError: as `accept`.
    """
    here = services()
    acceptance = accept([submission], here)
    wake_workers(acceptance, here)
    return Snapshot(acceptance.records[0], acceptance.places[0])


@contextmanager
def held_place() -> Iterator[bool]:
    """Counts the current HTTP request among the held ones. False where no place is free: then it must not wait."""
    held = services().held
    entered = held.enter()
    if entered:
        mark_held()
    try:
        yield entered
    finally:
        if entered:
            held.leave()


def wait_for_end(snapshot: Snapshot, seconds: float) -> Snapshot:
    """The ended job; or as it is when the time is up, its client has gone, or the server stops.

    To be called within a `held_place`.

    Raises:
        NotFound, Gone: it was deleted meanwhile.
        StoreUnavailable: Redis doesn't respond.
    """
    return services().watcher.until(lambda _: client_has_gone(), snapshot, seconds)


def run(request: AnyRequest, seconds: float) -> JobRecord:
    """The ended job of a request of the current caller; canceled where it doesn't end in time or its client has gone.

    Raises:
        Overloaded: the server holds as many requests as it may.
        RiffusionError: as `submit` and `wait_for_end`.
    """
    with held_place() as entered:
        if not entered:
            raise Overloaded("The server holds as many requests as it may; try again soon.")
        snapshot = wait_for_end(submit(Submission(request, caller())), seconds)
    record = snapshot.record
    return record if record.status.terminal else services().store.cancel(record.id)


def read_result(output: JobOutput) -> ResultFiles:
    """The files that a job made.

    Raises:
        ResultLost: the storage hasn't got them any more.
        StorageUnavailable: the storage doesn't respond.
    """
    files = services().files
    try:
        return ResultFiles(files.get(output.image.key), files.get(output.audio.key))
    except NotFound:
        raise ResultLost("The server has lost what it made; send the request again.") from None


def client_has_gone() -> bool:
    """Whether the client of the current HTTP request has closed the connection: nobody would read the response."""
    connection = incoming.environ.get("gunicorn.socket")
    if connection is None:  # no server in between
        return False
    timeout = connection.gettimeout()
    connection.settimeout(0)
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, ValueError):  # nothing to read; TLS can't peek
        return False
    except OSError:
        return True
    finally:
        connection.settimeout(timeout)
