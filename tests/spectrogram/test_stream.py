from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.codec import SCHEDULES
from riffusion.spectrogram.grid import Floats, grid_for
from riffusion.spectrogram.mel import mel_spectrogram
from riffusion.spectrogram.stream import Stream


@pytest.fixture
def target(wave: Tensor) -> Floats:
    """[1, 101, 512]: the mel magnitudes of the wave, frame by frame."""
    return np.ascontiguousarray(mel_spectrogram(wave, DEFAULT).transpose(1, 2).numpy())


def stream() -> Stream:
    grid = grid_for(DEFAULT)
    assert grid is not None
    return Stream(grid, SCHEDULES["fast"], 1000.0)


def distance(sound: Floats, target: Floats) -> float:
    """Of a sound's mel magnitudes from the target's, in parts of the target."""
    mel = mel_spectrogram(torch.from_numpy(sound), DEFAULT).transpose(1, 2).numpy()
    return float(np.linalg.norm(mel - target) / np.linalg.norm(target))


@pytest.mark.parametrize("cuts", [(50,), (3, 4, 60), (90,), (101,)])
def test_stretches_are_one_sound(wave: Tensor, target: Floats, cuts: tuple[int, ...]) -> None:
    parts = stream()
    fed = [parts.feed(target[:, first:last]) for first, last in pairwise([0, *cuts])]
    sound = np.concatenate([*fed, parts.close(target[:, cuts[-1] :])], axis=1)
    assert sound.shape == wave.shape
    assert distance(sound, target) < 1.1 * distance(stream().close(target), target)


def test_a_further_stretch_rewrites_nothing(target: Floats) -> None:
    parts = stream()
    first = parts.feed(target[:, :60])
    kept = first.copy()
    parts.close(target[:, 60:])
    assert np.array_equal(first, kept)
    assert np.array_equal(first, stream().feed(target[:, :60]))
