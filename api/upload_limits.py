"""Limits on concurrent uploads, so that no client fills the disk or occupies all slots for decoding."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from api.client_slots import ClientSlots
from riffusion.errors import UnavailableError
from riffusion.jobs.tenants import Tenant, key_of

PROBES = 4  # files decoded at once, each in a process with a picture's memory; one slot is for clients with a key
SPOOLED_FILES = 8  # files of the largest size that the temporary folder may hold
FILES_OF_A_KEY = 4  # uploads of one key at once
KEYS_SHARE = 0.25  # of the temporary folder, reserved for clients with a key
_TOO_MANY = "Too many of your uploads are in progress; send fewer at a time."
_PROBE_WAIT_S = 10.0  # for a slot to decode a file


class UploadSlot:
    """One upload in progress."""

    def __init__(self, limiter: "UploadLimiter", client: Tenant) -> None:
        self._limiter = limiter
        self._has_key = key_of(client.name) is not None
        self.spooled = 0  # bytes

    def spool(self, size: int) -> None:
        """Reserves space for more received bytes.

        Raises:
            UnavailableError: other uploads fill the space.
        """
        self._limiter.reserve(size, has_key=self._has_key)
        self.spooled += size

    @contextmanager
    def probe(self) -> Iterator[None]:
        """Holds a slot to decode the file.

        Raises:
            UnavailableError: no slot became free in time.
        """
        with self._limiter.probe(has_key=self._has_key):
            yield


class UploadLimiter:
    """The uploads in progress of one process. Thread-safe."""

    def __init__(self, max_upload_bytes: int) -> None:
        self._lock = threading.Lock()
        self._room = SPOOLED_FILES * max_upload_bytes  # bytes
        self._spooled = 0  # bytes
        self._clients = ClientSlots(1, FILES_OF_A_KEY, _TOO_MANY)
        self._probes = threading.BoundedSemaphore(PROBES)
        self._probes_without_key = threading.BoundedSemaphore(PROBES - 1)

    @contextmanager
    def slot(self, client: Tenant) -> Iterator[UploadSlot]:
        """Holds a slot for one upload of a client; the networks around an address may have two and four at once.

        Raises:
            TooManyRequests: the client has as many uploads as it may.
        """
        with self._clients.slot(client):
            slot = UploadSlot(self, client)
            try:
                yield slot
            finally:
                with self._lock:
                    self._spooled -= slot.spooled

    def reserve(self, size: int, *, has_key: bool) -> None:
        """See `UploadSlot.spool`."""
        room = self._room if has_key else self._room * (1 - KEYS_SHARE)
        with self._lock:
            if self._spooled + size > room:
                raise UnavailableError("Too many uploads are in progress; try again soon.")
            self._spooled += size

    @contextmanager
    def probe(self, *, has_key: bool) -> Iterator[None]:
        """See `UploadSlot.probe`."""
        needed = [self._probes] if has_key else [self._probes_without_key, self._probes]
        taken: list[threading.BoundedSemaphore] = []
        try:
            for each in needed:
                if not each.acquire(timeout=_PROBE_WAIT_S):
                    raise UnavailableError("Too many uploads are being decoded; try again soon.")
                taken.append(each)
            yield
        finally:
            for each in taken:
                each.release()
