"""Host names resolved within a time limit, so that a name server that never responds delays only its names' owners.

`getaddrinfo` can't be interrupted: with a silent name server it returns after some ten seconds or half a minute. Each
call therefore has a thread of its own, which is abandoned when the limit is reached. Until it ends it counts towards
two bounds: how many there are, and how many of them one owner has.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial

from riffusion.jobs.webhooks import public_address

LIMIT_S = 10.0
MAX_THREADS = 16  # of a resolver
PER_OWNER = 2  # of those


class Resolver:
    """Resolves names for the owners of webhooks. Thread-safe."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._threads = threading.Semaphore(MAX_THREADS)
        self._owned: defaultdict[str, threading.Semaphore] = defaultdict(partial(threading.Semaphore, PER_OWNER))

    def resolve(self, owner: str, host: str, port: int) -> list[str]:
        """The numeric addresses of a host name, in the system's order.

        Raises:
            TimeoutError: there was no result in time, perhaps because the owner's earlier lookups are still running.
            OSError: the name is unknown.
        """
        deadline = time.monotonic() + self._limit_s
        bounds = (self._owned[owner], self._threads)  # the owner's first, so that waiting for it holds no other
        with ExitStack() as acquired:
            for bound in bounds:
                if not bound.acquire(timeout=max(0, deadline - time.monotonic())):
                    raise TimeoutError
                acquired.callback(bound.release)
            found: Future[list[str]] = Future()
            release = acquired.pop_all().close
            threading.Thread(target=_look_up, args=(found, release, host, port), name="resolver", daemon=True).start()
        return found.result(max(0, deadline - time.monotonic()))


def _look_up(found: "Future[list[str]]", release: Callable[[], None], host: str, port: int) -> None:
    try:
        found.set_result(public_address.resolve(host, port))
    except (OSError, UnicodeError) as error:
        found.set_exception(error)
    finally:
        release()
