"""The judge, on renderings that it was not trained on."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from riffusion.training.data.captions import all_about
from riffusion.training.data.clip_pictures import picture_of
from riffusion.training.data.composed_set import CLIP_SECONDS, ComposedSet
from riffusion.training.data.piece import Piece
from riffusion.training.data.soundfont import SOUNDFONT, Synth
from riffusion.training.evaluation.adherence import adherence
from riffusion.training.evaluation.counterexamples import FAULTS, counterexample
from riffusion.training.evaluation.judge import IGNORED, WRONG, Classes, Judge, Verdict, scores_on_real, train_judge
from riffusion.training.evaluation.judge_features import Floats, features, loudness_of

_needs_soundfont = pytest.mark.skipif(not SOUNDFONT.exists(), reason="FluidSynth's soundfont isn't installed")


@pytest.mark.parametrize("source", ["plain", "through_autoencoder"])
def test_the_saved_judge_is_accurate(source: str) -> None:
    scores = scores_on_real()[source]
    assert scores["kind"] >= 0.95
    assert scores["drums_tonal"] >= 0.99
    assert scores["lead"] >= 0.9
    assert scores["tempo"] >= 0.95
    assert scores["timbre"] >= 0.95
    assert scores["likeliest_lead"] >= scores["lead"]
    assert min(scores[f"likeliest_lead_{kind}"] for kind in ("solo", "chords", "full")) >= 0.95


@pytest.mark.parametrize("fault", FAULTS)
def test_the_saved_judge_rejects_faults(fault: str) -> None:
    rejected = scores_on_real()["rejected"][fault]
    assert rejected["1.0"] >= 0.85
    assert rejected["0.5"] >= 0.85


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Piece, Floats]]:
    clips = ComposedSet(tmp_path_factory.mktemp("clips"), "held-out", 24, seed=7)
    synth = Synth()
    pieces = [clips.piece(index) for index in range(clips.count)]
    return [(piece, loudness_of(picture_of(synth.render(piece, CLIP_SECONDS)))) for piece in pieces]


@_needs_soundfont
def test_recognises_fresh_renderings(fresh: list[tuple[Piece, Floats]]) -> None:
    verdicts = Judge.load().classify(np.stack([features(loudness) for _, loudness in fresh]))
    scores = adherence([all_about(piece) for piece, _ in fresh], verdicts)
    assert scores["kind"] > 0.9
    assert scores["lead"] > 0.85
    assert scores["tempo"] > 0.8


@_needs_soundfont
def test_rejects_fresh_renderings_with_faults(fresh: list[tuple[Piece, Floats]]) -> None:
    leads = [loudness for piece, loudness in fresh if piece.lead]
    rng = np.random.default_rng(0)
    faulty = [counterexample(fault, leads[n], leads[n - 1], 0.8, rng) for n, fault in enumerate([*FAULTS, *FAULTS])]
    verdicts = Judge.load().classify(np.stack([features(loudness) for loudness in faulty]))
    assert sum(verdict.rejected for verdict in verdicts) >= 11


def test_features_of_silence_are_finite() -> None:
    assert np.isfinite(features(loudness_of(np.full((512, 512), 255, np.uint8)))).all()


def test_a_wrong_instrument_has_no_family() -> None:
    assert Verdict("solo", "flute", 120, rejected=True).family is None
    assert Verdict("solo", "flute", 120).family == "winds"


def test_a_rejected_lead_has_a_likeliest_instrument() -> None:
    judge = Judge(1, Classes(lead=(None, "flute", "harp", WRONG)))
    head = judge.heads[1]
    assert isinstance(head, nn.Linear)
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    (verdict,) = judge.classify(np.zeros((1, 1), np.float32))
    assert (verdict.lead, verdict.likeliest_lead, verdict.rejected) == (WRONG, "harp", True)
    with torch.no_grad():
        head.bias.copy_(torch.tensor([0.0, 4.0, 2.0, 3.0]))
    (verdict,) = judge.classify(np.zeros((1, 1), np.float32))
    assert (verdict.lead, verdict.likeliest_lead, verdict.rejected) == ("flute", "flute", False)


def test_a_counterexample_has_no_lead_and_keeps_its_kind() -> None:
    classes = Classes()
    indices = [classes.kind.index("solo"), classes.lead.index("flute"), 3]
    assert classes.rejected(indices, tempo_stays=True) == [indices[0], classes.lead.index(WRONG), 3]
    assert classes.rejected(indices, tempo_stays=False)[2] == IGNORED


def test_a_judge_is_loaded_with_its_own_classes(tmp_path: Path) -> None:
    classes = Classes(lead=(None, "theremin", WRONG))
    judge = Judge(4, classes)
    judge.save({"plain": {"lead": 0.5}}, tmp_path)
    loaded = Judge.load(tmp_path)
    assert loaded.classes == classes
    assert scores_on_real(tmp_path) == {"plain": {"lead": 0.5}}
    inputs = torch.randn(3, 4)
    torch.testing.assert_close(loaded(inputs)[1], judge.eval()(inputs)[1], atol=5e-3, rtol=5e-2)


def test_training_leaves_out_what_is_not_known() -> None:
    """A class that is known in half of the examples is learned from these."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((256, 3)).astype(np.float32)
    labels = np.stack([inputs[:, 0] > 0, inputs[:, 1] > 0, inputs[:, 2] > 0], axis=1).astype(np.int64)
    known = torch.from_numpy(labels.copy())
    known[::2, 2] = IGNORED
    judge = train_judge(inputs, known, epochs=30)
    with torch.no_grad():
        guessed = judge(torch.from_numpy(inputs))[2].argmax(1).numpy()
    assert (guessed == labels[:, 2]).mean() > 0.85
