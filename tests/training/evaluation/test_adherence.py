"""What counts as matching a caption."""

import math

from riffusion.training.data.captions import Stated
from riffusion.training.evaluation.adherence import adherence, chance
from riffusion.training.evaluation.judge import Verdict

_DRUMS, _SAX = Stated("drums", bpm=120), Stated("solo", lead="saxophone", bpm=120)


def test_each_measure_counts_only_captions_that_state_it() -> None:
    scores = adherence([_DRUMS, _SAX], [Verdict("drums", None, 120), Verdict("full", "flute", 60)])
    assert scores.pop("lead_solo") == 0
    assert scores.pop("likeliest_lead_solo") == 0
    for name in ("lead_chords", "lead_full", "likeliest_lead_chords", "likeliest_lead_full"):
        assert math.isnan(scores.pop(name))
    assert scores == {
        "kind": 0.5,
        "drums_tonal": 1,
        "lead": 0,
        "likeliest_lead": 0,
        "timbre": 1,
        "family": 1,
        "tempo": 0.5,
        "tempo_octave": 1,
    }


def test_a_lead_that_is_no_instrument_has_the_wrong_timbre_and_family() -> None:
    scores = adherence([_SAX, _SAX, _DRUMS], [Verdict("solo", "saxophone", 120, rejected=True)] * 3)
    assert (scores["timbre"], scores["lead"], scores["family"], scores["tempo"]) == (0, 0, 0, 1)
    assert scores["likeliest_lead"] == scores["likeliest_lead_solo"] == 1


def test_tempo_is_right_within_five_per_cent() -> None:
    stated = Stated("drums", bpm=100)
    assert adherence([stated], [Verdict("drums", None, 104)])["tempo"] == 1
    assert adherence([stated], [Verdict("drums", None, 107)])["tempo"] == 0


def test_a_measure_that_no_caption_states_has_no_score() -> None:
    assert math.isnan(adherence([Stated("drums")], [Verdict("drums", None, 120)])["lead"])


def test_chance_is_the_score_against_other_clips_captions() -> None:
    verdicts = [Verdict("drums", None, 120), Verdict("solo", "saxophone", 120)]
    assert chance([_DRUMS, _SAX], verdicts)["kind"] == 0
    assert chance([_DRUMS, _SAX], verdicts)["tempo"] == 1
