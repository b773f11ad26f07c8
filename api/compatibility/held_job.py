"""A job whose client waits for its end within one HTTP request, because it knows no jobs.

Records, limits, fairness and keys are those of `POST /jobs`.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from flask import Response
from flask import request as incoming

from api.acceptance import accept, wake_workers
from api.authentication import caller
from api.client_slots import ClientSlots
from api.held_requests import Snapshot, client_has_gone
from api.metrics import mark_held
from api.services import services
from riffusion.errors import NotFound, ResultLost
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobOutput, JobRecord
from riffusion.requests import AnyRequest

# Of an address and of a key: one may be the server of a site. A response has half a megabyte, read within milliseconds.
_SLOTS, _SLOTS_IN_ALL = (16, 64), 128


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
def held_place() -> Iterator[None]:
    """Counts the current HTTP request among the held ones.

    Raises:
        TooManyRequests, Overloaded: there is no place for its client, or for anyone: it must not wait.
    """
    held, client = services().held, caller()
    held.enter(client)
    mark_held()
    try:
        yield
    finally:
        held.leave(client)


def wait_for_end(snapshot: Snapshot, seconds: float) -> Snapshot:
    """The ended job; or as it is when the time is up, its client has gone, or the server stops.

    To be called within a `held_place`.

    Raises:
        NotFound, Gone: it was deleted meanwhile.
        StoreUnavailable: Redis doesn't respond.
    """
    environ = incoming.environ
    return services().watcher.until(lambda _: client_has_gone(environ), snapshot, seconds)


def run(request: AnyRequest, seconds: float) -> JobRecord:
    """The ended job of a request of the current caller; canceled where it doesn't end in time or its client has gone.

    Raises:
        TooManyRequests, Overloaded: as `held_place`; no job is accepted.
        RiffusionError: as `submit` and `wait_for_end`.
    """
    with held_place():
        snapshot = wait_for_end(submit(Submission(request, caller())), seconds)
    record = snapshot.record
    return record if record.status.terminal else services().store.cancel(record.id)


def respond_inline(output: JobOutput, respond: Callable[[JobOutput, ResultFiles], Response]) -> Response:
    """A response with a job's files in it. It is in memory until it is sent, which is why clients may have only a few.

    Raises:
        TooManyRequests, Overloaded: too many are being sent, to this client or to all.
        ResultLost: the storage hasn't got the files any more.
        StorageUnavailable: the storage doesn't respond.
    """
    with ExitStack() as sending:
        sending.enter_context(services().inline_clips.slot(caller()))
        response = respond(output, _read_result(output))
        response.call_on_close(sending.pop_all().close)
    return response


def response_slots() -> ClientSlots:
    """The limit on responses with files in them that are being sent."""
    message = "Too many of your clips are waiting to be read; read them, or ask for fewer at a time."
    return ClientSlots(*_SLOTS, message, _SLOTS_IN_ALL, "The server sends as much at once as it may; try again soon.")


def _read_result(output: JobOutput) -> ResultFiles:
    files = services().files
    try:
        return ResultFiles(files.get(output.image.key), files.get(output.audio.key))
    except NotFound:
        raise ResultLost("The server has lost what it made; send the request again.") from None
