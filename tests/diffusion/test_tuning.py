import os
import time
from typing import Any

import pytest
import torch

from riffusion.diffusion import tuning
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser

SHAPE, CONTEXT = (4, 16, 16), (77, 16)


class Clocked(Denoiser):
    """A UNet call that advances the test's clock by a given time."""

    seconds: dict[int, float]

    def __init__(self, checkpoint: Checkpoint) -> None:
        super().__init__(checkpoint)
        self.now = 0.0
        self.calls: list[int] = []

    def probe(self, *_: Any, **__: Any) -> None:
        self.calls.append(torch.get_num_threads())
        self.now += self.seconds[torch.get_num_threads()]


@pytest.mark.parametrize(
    ("seconds", "threads"),
    [
        ({1: 0.1, 2: 0.06, 4: 0.04}, 4),
        ({1: 0.1, 2: 0.095, 4: 0.093}, 1),  # hardly faster: the cores are left to the sound
        ({1: 0.1, 2: 0.05, 4: 0.08}, 2),
    ],
)
def test_threads_are_the_fastest_that_are_worth_it(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float], threads: int
) -> None:
    denoiser = Clocked(checkpoint)
    denoiser.seconds = seconds
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setattr(time, "perf_counter", lambda: denoiser.now)
    try:
        assert tuning.choose_threads(denoiser, SHAPE, CONTEXT) == torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(1)


def test_a_large_model_gets_every_core_after_one_probe(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    denoiser = Clocked(checkpoint)
    denoiser.seconds = {1: 20.0}
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(3), raising=False)
    monkeypatch.setattr(time, "perf_counter", lambda: denoiser.now)
    try:
        assert tuning.choose_threads(denoiser, SHAPE, CONTEXT) == torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(1)
    assert denoiser.calls == [1]


def test_threads_that_slow_each_other_down_are_measured_once(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    denoiser = Clocked(checkpoint)
    denoiser.seconds = {1: 0.1, 2: 0.9}
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(2), raising=False)
    monkeypatch.setattr(time, "perf_counter", lambda: denoiser.now)
    try:
        assert tuning.choose_threads(denoiser, SHAPE, CONTEXT) == 1
    finally:
        torch.set_num_threads(1)
    assert denoiser.calls == [1, 2, 1]


def test_threads_that_were_set_are_kept(checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    denoiser = Clocked(checkpoint)
    assert tuning.choose_threads(denoiser, SHAPE, CONTEXT) == torch.get_num_threads()


def test_without_cuda_nothing_is_compiled_and_memory_is_no_limit(checkpoint: Checkpoint) -> None:
    assert tuning.compiler_for(torch.device("cpu")) is None
    assert tuning.memory_budget(Denoiser(checkpoint), SHAPE, CONTEXT) is None


@pytest.mark.parametrize(("free", "rows"), [(100, 1), (1000, 6), (10_000, 69)])
def test_the_budget_is_what_fits_into_the_memory_that_is_free(
    checkpoint: Checkpoint, monkeypatch: pytest.MonkeyPatch, free: int, rows: int
) -> None:
    """A device whose UNet call takes 50 bytes and 100 more for each guided row."""
    denoiser = Clocked(checkpoint)
    denoiser.device = torch.device("cuda")
    peaks = iter([150, 250])
    monkeypatch.setattr(denoiser, "probe", lambda *_: None)
    for name, fake in {
        "empty_cache": lambda: None,
        "reset_peak_memory_stats": lambda _: None,
        "memory_allocated": lambda _: 0,
        "max_memory_allocated": lambda _: next(peaks),
        "mem_get_info": lambda _: (free, 10_000),
    }.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    assert tuning.memory_budget(denoiser, SHAPE, CONTEXT) == rows * 16 * 16
