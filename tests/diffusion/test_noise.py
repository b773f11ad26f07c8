import pytest
import torch

from riffusion.diffusion.noise import BlendedNoise, GivenNoise, SeededNoise, slerp

SHAPE = (4, 16, 16)


def test_a_seed_is_its_noise() -> None:
    first, again, other = (SeededNoise(seed) for seed in (7, 7, 8))
    drawn = first.draw(SHAPE)
    assert torch.equal(drawn, again.draw(SHAPE))
    assert not torch.equal(drawn, first.draw(SHAPE))
    assert not torch.allclose(drawn, other.draw(SHAPE))


@pytest.mark.parametrize(("alpha", "seed"), [(0.0, 1), (1.0, 2)])
def test_a_blend_ends_exactly_at_its_seeds(alpha: float, seed: int) -> None:
    blend, end = BlendedNoise(SeededNoise(1), SeededNoise(2), alpha), SeededNoise(seed)
    for _ in range(3):  # the start, and what a sampler draws on the way
        assert torch.equal(blend.draw(SHAPE), end.draw(SHAPE))


def test_a_blend_is_as_strong_as_noise() -> None:
    middle = BlendedNoise(SeededNoise(1), SeededNoise(2), 0.5).draw(SHAPE)
    assert float(middle.std()) == pytest.approx(1, abs=0.1)  # linear interpolation would give 0.71


@pytest.mark.parametrize("end", [torch.zeros(8), torch.ones(8), -torch.ones(8)])
def test_slerp_of_vectors_without_a_plane_between_them(end: torch.Tensor) -> None:
    assert slerp(0.5, torch.ones(8), end).isfinite().all()


def test_given_noise_comes_first() -> None:
    given = torch.full(SHAPE, 3.0)
    noise = GivenNoise(given, seed=5)
    assert torch.equal(noise.draw(SHAPE), given)
    assert torch.equal(noise.draw(SHAPE), SeededNoise(5).draw(SHAPE))
