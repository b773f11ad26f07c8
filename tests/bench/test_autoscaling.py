"""The simulation's parts: arrivals, the queue with its workers, and what KEDA and the HPA do."""

from functools import partial

import pytest
from autoscaling import arrivals, by_all_work, launch
from autoscaling_policy import Autoscaler, Fixed, Load, Rules
from autoscaling_queue import Queue, Site

SITE = Site(clips_per_s=2.0, slots=4, start_s=60, max_queued=100)


def load(running: int = 0, waiting_work_s: float = 0.0) -> Load:
    return Load(int(waiting_work_s * SITE.clips_per_s), running, waiting_work_s)


def wanted(scaler: Autoscaler, loads: list[Load]) -> list[int]:
    return [scaler.step(second, each) for second, each in enumerate(loads)]


def chart(rules: Rules) -> Autoscaler:
    return Autoscaler(partial(by_all_work, wait_s=20, slots=4), rules)


def test_a_launch_brings_four_million_in_two_days() -> None:
    total = sum(launch(second / 3600) for second in range(48 * 3600))
    assert total == pytest.approx(4e6, rel=0.01)
    counts = list(arrivals(launch, 1))
    assert counts == list(arrivals(launch, 1))  # the same in each run
    assert sum(counts) == pytest.approx(23.4 * 3600 / 2, rel=0.02)


def test_waits_are_those_of_queueing_theory() -> None:
    # One server, Poisson arrivals: the mean wait is λ E[S²] / 2(1 - ρ) (Pollaczek-Khinchine).
    rate, job_s = 1.4, 0.5
    outcome = Queue(Site(1 / job_s, 1, 0, 10**6), Fixed(1), 1).run(arrivals(lambda _hour: rate, 12), ready=1)
    squared = job_s**2 * (1 + 0.4**2 / 12)  # a job takes 0.8 to 1.2 of its mean
    expected = rate * squared / (2 * (1 - rate * job_s))
    assert sum(outcome.waits_s) / len(outcome.waits_s) == pytest.approx(expected, rel=0.05)


def test_too_few_workers_serve_what_they_can_and_refuse_the_rest() -> None:
    outcome = Queue(SITE, Fixed(1), 1).run([4] * 600, ready=1)
    assert len(outcome.waits_s) == pytest.approx(2.0 * 600 + SITE.max_queued, rel=0.05)
    assert outcome.refused == 2400 - len(outcome.waits_s)
    assert max(outcome.waits_s) == pytest.approx(SITE.max_queued / 2.0, rel=0.1)


def test_enough_workers_keep_nobody_waiting() -> None:
    outcome = Queue(SITE, Fixed(4), 1).run([4] * 600, ready=4)
    assert sum(outcome.waits_s) < 60
    assert outcome.worker_s == pytest.approx(4 * 600, rel=0.05)


def test_a_busy_worker_finishes_before_it_ends() -> None:
    class Shrinking:
        def step(self, now_s: int, _load: Load) -> int:
            return 2 if now_s < 300 else 1

    outcome = Queue(SITE, Shrinking(), 1).run([3] * 400, ready=2)
    assert outcome.stopped_busy == 1
    assert len(outcome.waits_s) + outcome.refused == 1200  # none is lost
    assert 700 < outcome.worker_s < 1000


def test_the_first_job_starts_a_worker_and_the_last_one_stops_it() -> None:
    seen = wanted(chart(Rules(0, 9)), [load()] * 30 + [load(0, 1)] * 60 + [load(1)] * 60 + [load()] * 400)
    assert seen[29] == 0
    assert seen[30] == 1
    assert seen[149 + 250] == 1  # cooling down
    assert seen[-1] == 0


def test_scaling_up_doubles_at_most_and_stops_at_the_largest() -> None:
    seen = wanted(chart(Rules(1, 15)), [load(4, 2000)] * 91)
    assert seen[0::15][:4] == [5, 10, 15, 15]


def test_within_a_tenth_nothing_changes_and_what_is_needed_stays_for_five_minutes() -> None:
    busy = [load(40)] * 60
    assert set(wanted(chart(Rules(1, 20)), busy + [load(42)] * 400)[60:]) == {10}
    seen = wanted(chart(Rules(1, 20)), busy + [load(20)] * 400)
    assert seen[60 + 280] == 10
    assert seen[-1] == 5
