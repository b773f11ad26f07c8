"""Rendering with FluidSynth."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

from riffusion.errors import ToolMissing
from riffusion.training.data.composer import compose
from riffusion.training.data.soundfont import SAMPLE_RATE, SOUNDFONT, Synth

needs_fluidsynth = pytest.mark.skipif(not SOUNDFONT.exists(), reason="FluidSynth's soundfont isn't installed")


def test_a_missing_soundfont_is_reported_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="fluid-soundfont-gm"):
        Synth(tmp_path / "none.sf2")


def test_a_missing_library_is_reported_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda _name: None)
    with pytest.raises(ToolMissing, match="fluidsynth"):
        Synth()


@needs_fluidsynth
def test_notes_sound_where_they_are_written() -> None:
    piece = compose(Random(3), "drums", bpm=120)
    samples = Synth().render(piece, 2.0)
    assert samples.shape == (2 * SAMPLE_RATE,)
    assert np.abs(samples).max() == pytest.approx(0.9)
    # The downbeat is loud within 20 ms.
    assert np.abs(samples[: SAMPLE_RATE // 50]).max() > 0.1


@needs_fluidsynth
def test_a_new_synth_renders_the_same_sequence_alike() -> None:
    pieces = [compose(Random(n), "solo") for n in range(2)]
    first, second = ([synth.render(piece, 1.0) for piece in pieces] for synth in (Synth(), Synth()))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
