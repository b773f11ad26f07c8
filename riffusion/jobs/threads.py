"""Waiting for threads to end, which are greenlets in the API's processes."""

import threading

_CHECK_S = 0.1


def join(thread: threading.Thread) -> None:
    """Returns when a thread has ended; at once if it was never started.

    gevent (26.9) can lose the end of a greenlet on a busy machine: a join without a time limit then never returns.
    """
    while thread.is_alive():
        thread.join(_CHECK_S)
