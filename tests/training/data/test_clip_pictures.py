"""Pictures to tensors and back."""

import numpy as np

from riffusion.training.data.clip_pictures import to_input, to_pictures


def test_grey_levels_survive_the_round_trip() -> None:
    pictures = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    assert np.array_equal(to_pictures(to_input(pictures)), pictures)
