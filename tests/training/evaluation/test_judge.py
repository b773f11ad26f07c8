"""The judge, on renderings that it was not trained on."""

import numpy as np
import pytest

from riffusion.training.data.captions import all_about
from riffusion.training.data.clip_pictures import picture_of
from riffusion.training.data.composed_set import CLIP_SECONDS, ComposedSet
from riffusion.training.data.soundfont import SOUNDFONT, Synth
from riffusion.training.evaluation.adherence import adherence
from riffusion.training.evaluation.judge import Judge, features, scores_on_real


def test_the_saved_judge_is_accurate() -> None:
    scores = scores_on_real()
    assert scores["kind"] >= 0.95
    assert scores["drums_tonal"] >= 0.99
    assert scores["lead"] >= 0.97
    assert scores["tempo"] >= 0.95


@pytest.mark.skipif(not SOUNDFONT.exists(), reason="FluidSynth's soundfont isn't installed")
def test_recognises_fresh_renderings(tmp_path_factory: pytest.TempPathFactory) -> None:
    clips = ComposedSet(tmp_path_factory.mktemp("clips"), "held-out", 24, seed=7)
    synth = Synth()
    pieces = [clips.piece(index) for index in range(clips.count)]
    verdicts = Judge.load().verdicts(picture_of(synth.render(piece, CLIP_SECONDS)) for piece in pieces)
    scores = adherence([all_about(piece) for piece in pieces], verdicts)
    assert scores["kind"] > 0.9
    assert scores["lead"] > 0.85
    assert scores["tempo"] > 0.8


def test_features_of_silence_are_finite() -> None:
    assert np.isfinite(features(np.full((512, 512), 255, np.uint8))).all()
