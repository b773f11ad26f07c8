"""Host names resolved within a time limit, so that name servers that never respond hold up nobody but who named them.

`getaddrinfo` can't be interrupted: behind a silent name server it returns after some ten seconds or half a minute. Each
call therefore has a thread of its own, which is left behind when the limit is reached. Until it ends it counts towards
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
TOGETHER = 16  # at once, a resolver
PER_OWNER = 2


class Resolver:
    """Resolves names for many owners. Thread-safe."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._places = threading.Semaphore(TOGETHER)
        self._owned: defaultdict[str, threading.Semaphore] = defaultdict(partial(threading.Semaphore, PER_OWNER))

    def resolve(self, owner: str, host: str, port: int) -> list[str]:
        """The numeric addresses of a host name, in the system's order.

        Raises:
            TimeoutError: there was no result in time, perhaps because the owner's earlier names still have none.
            OSError: the name is unknown.
        """
        deadline = time.monotonic() + self._limit_s
        places = (self._owned[owner], self._places)  # the owner's first: whoever waits for it must not hold another
        with ExitStack() as taken:
            for place in places:
                if not place.acquire(timeout=max(0, deadline - time.monotonic())):
                    raise TimeoutError
                taken.callback(place.release)
            found: Future[list[str]] = Future()
            release = taken.pop_all().close
            threading.Thread(target=_look_up, args=(found, release, host, port), name="resolver", daemon=True).start()
        return found.result(max(0, deadline - time.monotonic()))


def _look_up(found: "Future[list[str]]", release: Callable[[], None], host: str, port: int) -> None:
    try:
        found.set_result(public_address.resolve(host, port))
    except (OSError, UnicodeError) as error:
        found.set_exception(error)
    finally:
        release()
