import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from riffusion.diffusion.autoencoder import Autoencoder
from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.diffusion.denoiser import Denoiser
from riffusion.diffusion.engine import Engine
from riffusion.diffusion.lora import Factors, LoraSet
from riffusion.diffusion.noise import SeededNoise
from riffusion.diffusion.prompt import PromptEncoder
from riffusion.diffusion.row import DenoiseRequest
from riffusion.diffusion.running_prediction import RunningPrediction
from riffusion.errors import BrokenPicture, Canceled, OutOfMemory
from riffusion.requests import Scheduler

SCHEDULERS: tuple[Scheduler, ...] = get_args(Scheduler)


@dataclass(frozen=True)
class Job:
    """Describes a request, of which more than one can be made: each has noise of its own, which is used up."""

    seed: int = 1
    scheduler: Scheduler = "dpm++2m"
    steps: int = 3
    guidance: float = 4.0
    prompt: str = "funk"
    columns: int = 16
    denoising: float | None = None
    masked: bool = False
    lora: LoraSet | None = None

    def request(self, prompts: PromptEncoder) -> DenoiseRequest:
        prompt, negative = prompts.encode(self.prompt, "")
        shape = (4, 16, self.columns)
        init = SeededNoise(99).draw(shape) if self.denoising is not None else None
        mask = torch.zeros(1, *shape[1:])
        mask[:, :, : self.columns // 2] = 1
        return DenoiseRequest(
            prompt, negative, self.guidance, SeededNoise(self.seed), shape, self.scheduler, self.steps,
            self.denoising or 0.0, init, mask if init is not None and self.masked else None, self.lora,
        )  # fmt: skip


def lora(weight: float) -> LoraSet:
    """A change of the tiny model's attention, as large as the weights themselves."""
    name = "down_blocks.3.attentions.0.transformer_blocks.0.attn2.to_v.weight"
    up, down = torch.eye(8), torch.linspace(-weight, weight, 8 * 16).view(8, 16)
    return LoraSet((("one", 0, weight),), {"unet": {name: Factors(up, down)}, "text_encoder": {}})


LORAS = (None, lora(1.0), lora(-2.0))


@pytest.fixture(scope="module")
def solo(engine: Engine, prompts: PromptEncoder) -> Callable[[Job], Tensor]:
    """The latents of a job that runs alone."""
    return cache(lambda job: engine.submit(job.request(prompts)).result())


@pytest.fixture(scope="module")
def same(checkpoint: Checkpoint, solo: Callable[[Job], Tensor]) -> Callable[[Job, Tensor], bool]:
    """Whether latents decode to the picture that the job makes alone, within one grey level."""
    autoencoder = Autoencoder(checkpoint)

    def compare(job: Job, latents: Tensor) -> bool:
        alone, beside = (autoencoder.decode(found).astype(int) for found in (solo(job), latents))
        return int(np.abs(alone - beside).max()) <= 1

    return compare


@pytest.mark.parametrize("steps", [2, 3, 20, 50])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_joining_at_any_point_changes_nothing(
    engine: Engine, prompts: PromptEncoder, same: Any, scheduler: Scheduler, steps: int
) -> None:
    host, guest = Job(seed=1, scheduler=scheduler, steps=steps), Job(seed=2, scheduler=scheduler, steps=2)
    guests: list[Future[Tensor]] = []
    hosted = engine.submit(host.request(prompts), on_step=lambda: guests.append(engine.submit(guest.request(prompts))))
    assert same(host, hosted.result(60))
    assert len(guests) >= steps
    assert all(same(guest, future.result(60)) for future in guests)


jobs = st.builds(
    Job,
    seed=st.integers(0, 2),
    scheduler=st.sampled_from(SCHEDULERS),
    steps=st.integers(2, 4),
    guidance=st.sampled_from([1.0, 4.0]),
    prompt=st.sampled_from(["funk", "x" * 200]),
    columns=st.sampled_from([16, 24]),
    denoising=st.sampled_from([None, 0.0, 0.6, 1.0]),
    masked=st.booleans(),
    lora=st.sampled_from(LORAS),
)
FATES = ("succeeds", "succeeds", "canceled", "callback fails", "model fails", "not finite")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_do_not_touch_each_other(engine: Engine, prompts: PromptEncoder, same: Any, data: st.DataObject) -> None:
    drawn = [(job, data.draw(st.sampled_from(FATES))) for job in data.draw(st.lists(jobs, min_size=2, max_size=7))]
    futures: list[Future[Tensor]] = []
    for job, fate in drawn:
        request = job.request(prompts)
        if fate == "model fails":
            request = replace(request, prompt_embeds=request.prompt_embeds[:, :3])
        if fate == "not finite":
            request = replace(request, prompt_embeds=request.prompt_embeds * float("nan"))
        futures.append(engine.submit(request, on_step=fails if fate == "callback fails" else lambda: None))
        if fate == "canceled":
            futures[-1].cancel()
    for (job, fate), future in zip(drawn, futures, strict=True):
        match fate:
            case "succeeds":
                assert same(job, future.result(60))
            case "canceled":
                assert future.cancelled()
            case "not finite":
                with pytest.raises(BrokenPicture):
                    future.result(60)
            case _:
                with pytest.raises((ZeroDivisionError, RuntimeError)):
                    future.result(60)


def fails() -> None:
    raise ZeroDivisionError


def wait(event: threading.Event) -> None:
    assert event.wait(60)


def test_a_canceled_row_takes_no_further_step(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    engine = Engine(Denoiser(checkpoint), max_rows=1)
    stepped, canceled = threading.Event(), threading.Event()

    def hold() -> None:
        stepped.set()
        wait(canceled)

    future = engine.submit(Job(steps=50).request(prompts), on_step=hold)
    wait(stepped)
    assert future.cancel()
    canceled.set()
    engine.submit(Job(steps=2).request(prompts)).result(60)
    engine.close()
    assert engine.calls == 1 + 2
    with pytest.raises(CancelledError):
        future.result(60)


def test_a_prediction_is_handed_over_once_for_each_time_that_it_is_asked_for(
    checkpoint: Checkpoint, prompts: PromptEncoder
) -> None:
    engine = Engine(Denoiser(checkpoint), max_rows=2)
    prediction, taken, work = RunningPrediction(), [], []

    def on_step() -> None:
        taken.append(prediction.take())
        work.append(prediction.work_s)
        if len(taken) in (1, 3):
            prediction.ask()

    job = Job(steps=5, denoising=1.0, masked=True)
    made = engine.submit(job.request(prompts), on_step=on_step, prediction=prediction).result(60)
    engine.close()
    assert [latents is not None for latents in taken] == [False, True, False, True, False]
    assert work == sorted(work)
    assert work[0] > 0
    for latents in (taken[1], taken[3]):
        assert latents is not None
        kept = latents[:, :, job.columns // 2 :]
        assert torch.equal(kept, SeededNoise(99).draw(latents.shape)[:, :, job.columns // 2 :])  # outside of the mask
    assert torch.dist(taken[3], made) < torch.dist(taken[1], made)  # type: ignore[arg-type]


def test_steps_in_batches_of_one_size_are_one_run(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    started = threading.Event()
    engine = Engine(Denoiser(checkpoint), max_rows=4, warm_up=partial(wait, started))
    long, short = RunningPrediction(), RunningPrediction()
    futures = [
        engine.submit(Job(steps=steps).request(prompts), prediction=prediction)
        for steps, prediction in ((7, long), (3, short))
    ]
    started.set()
    for future in futures:
        future.result(60)
    engine.close()
    assert [(run.rows, run.steps) for run in short.batches.runs] == [(2, 3)]
    together, alone = long.batches.runs
    assert [(run.rows, run.steps) for run in (together, alone)] == [(2, 3), (1, 4)]
    assert together.began < together.ended <= alone.began + 1e-3
    assert alone.began < alone.ended


def test_groups_of_other_shapes_take_turns(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    order: list[int] = []
    started = threading.Event()
    engine = Engine(Denoiser(checkpoint), max_rows=4, warm_up=partial(wait, started))
    futures = [
        engine.submit(Job(columns=columns, steps=4).request(prompts), on_step=partial(order.append, columns))
        for columns in (16, 16, 24)
    ]
    started.set()
    for future in futures:
        future.result(60)
    engine.close()
    assert order == [16, 16, 24] * 4


def test_lora_sets_never_share_a_call_and_take_turns(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    calls: list[set[LoraSet | None]] = []

    class Watched(Denoiser):
        def predict(self, rows: Any) -> list[Tensor]:
            calls.append({row.lora for row in rows})
            return super().predict(rows)

    started = threading.Event()
    engine = Engine(Watched(checkpoint), max_rows=4, warm_up=partial(wait, started))
    sets = [*LORAS, LORAS[1]]
    futures = [engine.submit(Job(steps=3, lora=each).request(prompts)) for each in sets]
    started.set()
    made = [future.result(60) for future in futures]
    engine.close()
    assert calls == [{each} for each in LORAS] * 3
    assert torch.allclose(made[1], made[3], atol=1e-4)
    assert not torch.allclose(made[0], made[1], atol=1e-2)
    assert not torch.allclose(made[1], made[2], atol=1e-2)


def test_jobs_take_turns_to_join_the_batch(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    order: list[str] = []
    started = threading.Event()
    engine = Engine(Denoiser(checkpoint), max_rows=1, warm_up=partial(wait, started))
    futures = [
        engine.submit(Job(steps=2).request(prompts), tenant=job, on_step=partial(order.append, job)) for job in "aaabbb"
    ]
    started.set()
    for future in futures:
        future.result(60)
    engine.close()
    assert "".join(order[::2]) == "ababab"


class SmallDevice(Denoiser):
    """Runs out of memory beyond a number of rows."""

    row_limit = 2

    def predict(self, rows: Any) -> list[Tensor]:
        if len(rows) > self.row_limit:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().predict(rows)


def test_out_of_memory_halves_the_batch(checkpoint: Checkpoint, prompts: PromptEncoder, same: Any) -> None:
    engine = Engine(SmallDevice(checkpoint), max_rows=8)
    jobs = [Job(seed=seed, steps=4) for seed in range(7)]
    futures = [engine.submit(job.request(prompts)) for job in jobs]
    assert all(same(job, future.result(60)) for job, future in zip(jobs, futures, strict=True))
    engine.close()


@pytest.mark.parametrize("later", [None, LORAS[1]])
def test_what_ran_out_of_memory_is_not_tried_again_by_later_rows(
    checkpoint: Checkpoint, prompts: PromptEncoder, later: LoraSet | None
) -> None:
    attempts: list[int] = []

    class Counted(SmallDevice):
        def predict(self, rows: Any) -> list[Tensor]:
            attempts.append(len(rows))
            return super().predict(rows)

    def run(lora: LoraSet | None) -> None:
        jobs = [Job(seed=seed, steps=2, lora=lora).request(prompts) for seed in range(4)]
        with engine._changed:  # so that they join together
            futures = [engine.submit(job) for job in jobs]
        for future in futures:
            future.result(60)

    engine = Engine(Counted(checkpoint), max_rows=4)
    run(None)
    assert max(attempts) == 4
    attempts.clear()
    run(later)
    engine.close()
    assert max(attempts) == 2


def test_a_row_too_large_even_alone_fails_with_out_of_memory(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    denoiser = SmallDevice(checkpoint)
    denoiser.row_limit = 0
    engine = Engine(denoiser, max_rows=2)
    with pytest.raises(OutOfMemory):
        engine.submit(Job().request(prompts)).result(60)
    engine.close()


class LostDevice(Denoiser):
    """A device whose context is lost, as after an illegal access: nothing on it can be used any more."""

    def predict(self, rows: Any) -> list[Tensor]:
        raise torch.AcceleratorError(f"CUDA error: an illegal memory access by {len(rows)} rows")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_lost_device_ends_the_engine_and_cancels_its_rows(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    submitted = threading.Event()
    engine = Engine(LostDevice(checkpoint), max_rows=2, warm_up=partial(wait, submitted))
    futures = [engine.submit(Job().request(prompts)) for _ in range(3)]
    assert engine.alive
    submitted.set()
    for future in futures:
        with pytest.raises(Canceled):  # so the worker drops the job, and another one takes it
            future.result(60)
    engine.close()
    assert not engine.alive


def test_closing_cancels_all_rows(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    stepped = threading.Event()
    engine = Engine(Denoiser(checkpoint), max_rows=1)
    futures = [engine.submit(Job(steps=150).request(prompts), on_step=stepped.set) for _ in range(3)]
    assert stepped.wait(60)
    engine.close()
    for future in futures:
        with pytest.raises(Canceled):
            future.result(60)
    with pytest.raises(Canceled):
        engine.submit(Job().request(prompts))


def test_a_failed_warm_up_is_raised_to_those_who_wait(checkpoint: Checkpoint, prompts: PromptEncoder) -> None:
    engine = Engine(Denoiser(checkpoint), max_rows=1, warm_up=fails)
    with pytest.raises(ZeroDivisionError):
        engine.wait_until_ready()
