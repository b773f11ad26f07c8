"""The teacher's trajectories follow from their numbers, and lessons lie on them."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from riffusion.testing import tiny_checkpoint
from riffusion.training.distillation import trajectories as module
from riffusion.training.distillation.data import DistillationData
from riffusion.training.distillation.lessons import LessonSource
from riffusion.training.distillation.solver import Solver
from riffusion.training.distillation.trajectories import BATCH, Trajectories
from riffusion.training.models.unet import LATENT_SHAPE

CONFIG = tiny_checkpoint().scheduler_config
CAPTIONS = DistillationData([("piano",), ("flute", "slow flute")], None)


class Model(torch.nn.Module):
    """Predicts velocity as a multiple of the latents and the prompt's mean."""

    def forward(self, latents: Tensor, _timestep: Tensor, embeds: Tensor, *, return_dict: bool) -> tuple[Tensor]:
        assert not return_dict
        return (latents * 0.1 + embeds.mean((1, 2)).view(-1, 1, 1, 1),)


def encode(captions: Sequence[str]) -> Tensor:
    return torch.stack([torch.full((77, 4), len(caption) / 10) for caption in captions])


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Trajectories]:
    def make(data: DistillationData = CAPTIONS, guidance: float = 3.0, guidance_end: float = 1.0) -> Trajectories:
        return Trajectories(tmp_path, data, Solver(Model(), CONFIG, "dpm++2m", guidance, 20, guidance_end), seed=7)

    return make


def test_starts_follow_from_the_number(made: Callable[..., Trajectories]) -> None:
    trajectories = made()
    first, again, pair, other = (trajectories.starts(number) for number in (0, 0, 1, 2))
    assert torch.equal(first.noise, again.noise)
    assert first.captions == again.captions == pair.captions
    assert not torch.equal(first.noise, pair.noise)
    assert not torch.equal(first.noise, other.noise)
    assert first.strength == other.strength == 1
    assert 0.2 <= pair.strength < 1
    some = {caption for number in range(0, 40, 2) for caption in trajectories.starts(number).captions}
    assert some == {"", "piano", "flute", "slow flute"}


def test_without_clips_the_teachers_own_are_started_at(made: Callable[..., Trajectories]) -> None:
    trajectories = made()
    trajectories.compute([0, 1], encode, lambda: None)
    clean = trajectories.clean(1)
    assert clean is not None
    assert torch.equal(clean, trajectories.points(0)[-1].float())
    assert trajectories.clean(0) is None


def test_the_datas_clips_are_started_at(made: Callable[..., Trajectories]) -> None:
    latents = [torch.full(LATENT_SHAPE, float(n)).half() for n in range(2)]
    trajectories = made(DistillationData([("a",), ("b",)], latents))
    clean = trajectories.clean(1)
    assert clean is not None
    assert clean[:, 0, 0, 0].tolist() == trajectories.starts(1).rows


def test_computes_what_is_missing(made: Callable[..., Trajectories], monkeypatch: pytest.MonkeyPatch) -> None:
    trajectories, reported = made(), []
    trajectories.compute([0, 1], encode, lambda: reported.append(1))
    steps = round(20 * trajectories.starts(1).strength)
    assert trajectories.points(0).shape == (21, BATCH, *LATENT_SHAPE)
    assert trajectories.points(1).shape == (1 + steps, BATCH, *LATENT_SHAPE)
    monkeypatch.setattr(Solver, "follow", lambda *_: pytest.fail("these exist"))
    trajectories.compute([0, 1], encode, lambda: reported.append(1))
    assert len(reported) == 4
    monkeypatch.undo()
    whole, damaged = trajectories.points(0).clone(), next(trajectories.folder.glob("00000.npy"))
    os.truncate(damaged, 1000)
    trajectories.compute([0, 1], encode, lambda: None)
    assert torch.equal(trajectories.points(0), whole)


def test_the_teacher_is_guided(made: Callable[..., Trajectories]) -> None:
    plain, guided = (
        made(guidance=guidance).follow(made(guidance=guidance).teacher, 0, encode) for guidance in (1.0, 3.0)
    )
    assert not torch.allclose(plain, guided)


def test_the_teacher_is_guided_as_long_as_its_model(made: Callable[..., Trajectories]) -> None:
    teacher = made(guidance_end=0.5).teacher
    whole, half = made().follow(made().teacher, 0, encode), made().follow(teacher, 0, encode)
    assert torch.equal(whole[:11], half[:11])
    assert not torch.allclose(whole[11], half[11])


def test_lessons_lie_on_the_trajectories(made: Callable[..., Trajectories], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_STRENGTH", 0.9)
    trajectories = made()
    trajectories.compute([0, 1], encode, lambda: None)
    levels = torch.linspace(0.99, 0.01, 1000)
    lessons = LessonSource(trajectories, 2, levels, jump=5).draw(64, torch.Generator().manual_seed(0))
    starts, ends, timesteps, start_levels, end_levels = lessons.tensors
    assert torch.equal(start_levels, levels[timesteps])
    for file in (0, 1):
        points, times = trajectories.points(file).float(), trajectories.teacher.way(trajectories.starts(file).strength)
        for n in range(64):
            if not (at := _places(points, starts[n])):
                continue  # of the other file
            (place,), (end,) = at, _places(points, ends[n])
            assert end == min(place + 5, len(times))
            assert int(timesteps[n]) == int(times.timesteps[place])
            assert float(end_levels[n]) == (1 if end == len(times) else float(levels[int(times.timesteps[end])]))
            assert lessons.captions[n] in trajectories.starts(file).captions
    on_grid = sum(int(timestep) in (999, 749, 499, 249) for timestep in timesteps)
    assert on_grid > 12  # three fifths of those from noise; by chance a tenth of all


def _places(points: Tensor, latents: Tensor) -> list[int]:
    return [int(place) for place, _ in (points == latents).all(-1).all(-1).all(-1).nonzero()]
