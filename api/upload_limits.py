"""How much may come in at once, so that nobody's files fill the disk or take all the places to have one decoded."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from riffusion.errors import TooManyRequests, UnavailableError
from riffusion.jobs.clients import Client, key_of

PROBES = 4  # files decoded at once, each with a process and a picture's memory; one place is for those with a key
SPOOLED_FILES = 8  # of the largest size: what they take of the temporary folder
FILES_OF_A_KEY = 4  # at once
KEYS_SHARE = 0.25  # of that, for those with a key alone
_PATIENCE_S = 10.0  # for a place to have a file decoded


class Place:
    """One file on its way in."""

    def __init__(self, intake: "Intake", client: Client) -> None:
        self._intake = intake
        self._has_key = key_of(client.name) is not None
        self.spooled = 0  # bytes

    def spool(self, size: int) -> None:
        """Takes room for so many bytes more, which have come in. Raises UnavailableError: others fill it."""
        self._intake.take(size, has_key=self._has_key)
        self.spooled += size

    @contextmanager
    def probe(self) -> Iterator[None]:
        """A place to have the file decoded. Raises UnavailableError."""
        with self._intake.probe(has_key=self._has_key):
            yield


class Intake:
    """The uploads that a process takes in now. Thread-safe."""

    def __init__(self, max_upload_bytes: int) -> None:
        self._lock = threading.Lock()
        self._room = SPOOLED_FILES * max_upload_bytes  # bytes
        self._spooled = 0  # bytes
        self._sending: Counter[str] = Counter()
        self._probes = threading.BoundedSemaphore(PROBES)
        self._probes_without_key = threading.BoundedSemaphore(PROBES - 1)

    @contextmanager
    def place(self, client: Client) -> Iterator[Place]:
        """Lets one file of a client in; the networks around it may send two and four at once.

        Raises:
            TooManyRequests: it is sending as many already.
        """
        first = FILES_OF_A_KEY if key_of(client.name) else 1
        with self._lock:
            if any(self._sending[scope] >= first * 2**index for index, scope in enumerate(client.scopes)):
                raise TooManyRequests("Send fewer files at a time; those before are still on their way.", retry_after=1)
            self._sending.update(client.scopes)
        place = Place(self, client)
        try:
            yield place
        finally:
            with self._lock:
                self._spooled -= place.spooled
                self._sending -= Counter(client.scopes)  # without those that are at 0

    def take(self, size: int, *, has_key: bool) -> None:
        """Takes room for bytes that have come in. Raises UnavailableError."""
        room = self._room if has_key else self._room * (1 - KEYS_SHARE)
        with self._lock:
            if self._spooled + size > room:
                raise UnavailableError("Too many files are on their way; try again soon.")
            self._spooled += size

    @contextmanager
    def probe(self, *, has_key: bool) -> Iterator[None]:
        """A place to have a file decoded. Raises UnavailableError."""
        places = [self._probes] if has_key else [self._probes_without_key, self._probes]
        taken: list[threading.BoundedSemaphore] = []
        try:
            for each in places:
                if not each.acquire(timeout=_PATIENCE_S):
                    raise UnavailableError("Too many files are being decoded; try again soon.")
                taken.append(each)
            yield
        finally:
            for each in taken:
                each.release()
