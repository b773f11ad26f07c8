"""Back-off."""

from itertools import islice

from riffusion.backoff import Backoff


def test_pauses_double_up_to_the_longest() -> None:
    assert list(islice(Backoff(0.5, 3), 5)) == [0.5, 1, 2, 3, 3]


def test_every_use_begins_with_the_first() -> None:
    backoff = Backoff(1, 8)
    assert [next(iter(backoff)), next(iter(backoff))] == [1, 1]
