import numpy as np
import numpy.typing as npt
import pytest

from riffusion.generate.rhythm import repetition


def struck(*columns: int, width: int = 512) -> npt.NDArray[np.uint8]:
    """A picture with a dark column at each onset."""
    grey = np.full((512, width), 255, dtype=np.uint8)
    grey[:, list(columns)] = 0
    return grey


@pytest.mark.parametrize("beat", [47, 60, 91])
def test_beats_repeat_after_whole_beats(beat: int) -> None:
    assert repetition(struck(*range(5, 512, beat)), 192, 320) % beat == 0


def test_a_pattern_repeats_after_itself_rather_than_after_a_beat() -> None:
    grey = struck(0, 50, 75, 200, 250, 275, 400, 450, 475)
    assert repetition(grey, 192, 320) == 200


@pytest.mark.parametrize("level", [0, 255])
def test_without_onsets_it_is_the_shortest(level: int) -> None:
    assert repetition(np.full((512, 512), level, dtype=np.uint8), 192, 320) == 192
