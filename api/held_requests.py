"""Requests that are held open (long-polls, event streams, and those that wait for a clip), and their number's limit."""

import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import Gauge

from api.client_slots import ClientSlots
from riffusion.errors import Overloaded, TooManyRequests
from riffusion.jobs.acceptance import Place
from riffusion.jobs.events import EventHub
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant, key_of, key_tenant

# Between two reads without an event: a job's place in the queue changes without one, and an event can get lost.
RECHECK_S = 2.0
# Between two reads of a held request, however many events there are.
READS_APART_S = 0.05

# The share of all places that an address may take, its networks twice and four times as much; and a key, which may be
# the server of a site.
_OF_AN_ADDRESS, _OF_A_KEY = 1 / 8, 1 / 2
_TOO_MANY = "The server holds as many of your requests as it may; wait for some of them to end."
_FULL = "The server holds as many requests as it may; try again soon."

Version = tuple[int, int | None, bool]


class HeldRequests:
    """Counts the connections that only wait, so that they never occupy all of them, and no client all places.
    Thread-safe.
    """

    def __init__(self, limit: int, gauge: Gauge) -> None:
        of_an_address, of_a_key = (max(1, int(limit * share)) for share in (_OF_AN_ADDRESS, _OF_A_KEY))
        self._places = ClientSlots(of_an_address, of_a_key, _TOO_MANY, limit, _FULL)
        self._gauge = gauge
        self.closing = False  # the server is stopping: held requests end now

    def enter(self, client: Tenant) -> None:
        """Takes a place.

        Raises:
            TooManyRequests: the client has as many as it may.
            Overloaded: all are taken, or the server is stopping.
        """
        if self.closing:
            raise Overloaded(_FULL)
        self._places.take(_counted(client))
        self._gauge.inc()

    def try_enter(self, client: Tenant) -> bool:
        """The same; False where there is no place for the client, so that its request must not wait."""
        try:
            self.enter(client)
        except (TooManyRequests, Overloaded):
            return False
        return True

    def leave(self, client: Tenant) -> None:
        """Frees the client's place."""
        self._gauge.dec()
        self._places.give_back(_counted(client))


def _counted(client: Tenant) -> Tenant:
    """Who places are counted for: of an end user the key, since a key may name as many as it likes."""
    key_id = key_of(client.name)
    return Tenant(key_tenant(key_id)) if key_id else client


@dataclass(frozen=True)
class Snapshot:
    """A job at one moment, with its place in the queue while it waits."""

    record: JobRecord
    place: Place | None

    @property
    def version(self) -> Version:
        """Differs between any two snapshots that clients should see as different."""
        place = self.place
        return self.record.revision, place.position if place else None, place is not None and place.paused


def read_snapshot(store: JobStore, job_id: str, client: str | None = None) -> Snapshot:
    """The job now, if the client may see it.

    Raises:
        NotFound, Gone: there is no such job for this client, or not any more.
        StoreUnavailable: Redis doesn't respond.
    """
    return Snapshot(*store.get_with_place(job_id, client))


class JobWatcher:
    """Waits for changes of one job."""

    def __init__(self, store: JobStore, hub: EventHub, held: HeldRequests) -> None:
        self._store = store
        self._hub = hub
        self._held = held

    def until(self, changed: Callable[[Snapshot], bool], snapshot: Snapshot, seconds: float) -> Snapshot:
        """The first snapshot for which `changed` is true, or the latest when the time is up or the server stops."""
        deadline = time.monotonic() + seconds
        heard, read_at = 0, 0.0
        while not (changed(snapshot) or snapshot.record.status.terminal or self._held.closing):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            heard = self._hub.wait(snapshot.record.id, max(heard, snapshot.record.revision), min(left, RECHECK_S))
            time.sleep(max(0.0, read_at + READS_APART_S - time.monotonic()))
            read_at = time.monotonic()
            snapshot = read_snapshot(self._store, snapshot.record.id)
        return snapshot


def client_has_gone(environ: Mapping[str, Any]) -> bool:
    """Whether the client of an HTTP request has closed the connection: nobody would read the response."""
    connection = environ.get("gunicorn.socket")
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
