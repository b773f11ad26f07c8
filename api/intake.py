"""How many files may come in at once, so that nobody's fill the disk or take all the places to have one probed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from riffusion.errors import TooManyRequests, UnavailableError

PROBES = 4  # files decoded at once, each with a process and a picture's memory
SPOOLED_FILES = 8  # of the largest size: what they take of the temporary folder
_PATIENCE_S = 10.0  # for a place to have a file probed


class Intake:
    """The uploads that a process takes in now. Thread-safe."""

    def __init__(self, max_upload_bytes: int) -> None:
        self._lock = threading.Lock()
        self._free_bytes = SPOOLED_FILES * max_upload_bytes
        self._clients: set[str] = set()
        self._probes = threading.BoundedSemaphore(PROBES)

    @contextmanager
    def place(self, client: str, size: int) -> Iterator[None]:
        """Room for one file of at most `size` bytes.

        Raises:
            TooManyRequests: the client is sending one already.
            UnavailableError: others fill the room there is.
        """
        with self._lock:
            if client in self._clients:
                raise TooManyRequests("Send one file at a time; the one before is still on its way.", retry_after=1)
            if size > self._free_bytes:
                raise UnavailableError("Too many files are on their way; try again soon.")
            self._clients.add(client)
            self._free_bytes -= size
        try:
            yield
        finally:
            with self._lock:
                self._clients.remove(client)
                self._free_bytes += size

    @contextmanager
    def probe(self) -> Iterator[None]:
        """A place to have a file decoded. Raises UnavailableError."""
        if not self._probes.acquire(timeout=_PATIENCE_S):
            raise UnavailableError("Too many files are being decoded; try again soon.")
        try:
            yield
        finally:
            self._probes.release()
