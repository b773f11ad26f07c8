"""The composed data set on disk."""

import os
from pathlib import Path

import numpy as np
import pytest

from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.data.soundfont import SOUNDFONT, Synth


def test_splits_and_seeds_share_no_piece() -> None:
    sets = [ComposedSet(Path(), split, 20, seed) for split in ("train", "held-out") for seed in (0, 1)]
    notes = {clips.piece(index).parts for clips in sets for index in range(clips.count)}
    assert len(notes) == 80


@pytest.mark.skipif(not SOUNDFONT.exists(), reason="FluidSynth's soundfont isn't installed")
def test_rendering_resumes_at_the_last_whole_file(tmp_path: Path) -> None:
    Synth()  # starts OpenMP's threads, at which a fork of this process would hang
    clips = ComposedSet(tmp_path, "train", 2)
    clips.render(1)
    first = [picture.copy() for picture in clips.pictures()]
    assert [picture.shape for picture in first] == [(512, 512)] * 2
    path = clips.shard_path(0)
    written = path.stat().st_mtime_ns
    clips.render(1)
    assert path.stat().st_mtime_ns == written
    path.rename(path.with_suffix(".part"))  # as a kill during the write leaves it
    clips.render(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, clips.pictures(), strict=True))
    os.truncate(path, 1000)
    clips.render(1)
    assert all(np.array_equal(a, b) for a, b in zip(first, clips.pictures(), strict=True))
