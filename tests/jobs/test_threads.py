"""Waiting for threads to end."""

import threading

from riffusion.jobs import threads


class Unannounced(threading.Thread):
    """A thread whose end is lost, as gevent's sometimes is: a join without a time limit would never return."""

    def join(self, timeout: float | None = None) -> None:
        assert timeout is not None
        threading.Event().wait(timeout)


def test_a_thread_whose_end_is_lost_is_joined() -> None:
    thread = Unannounced(target=lambda: None)
    thread.start()
    threads.join(thread)
    assert not thread.is_alive()


def test_a_thread_that_was_never_started_is_joined() -> None:
    threads.join(threading.Thread())


def test_a_join_lasts_until_the_thread_has_ended() -> None:
    release, ended = threading.Event(), threading.Event()

    def work() -> None:
        release.wait(30)
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    threading.Timer(0.3, release.set).start()
    threads.join(thread)
    assert ended.is_set()
