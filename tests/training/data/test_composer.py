"""The composer: the same seed composes the same piece, and pieces match their facts."""

from itertools import pairwise
from random import Random

import pytest

from riffusion.training.data.composer import BARS, compose
from riffusion.training.data.music import GENRES, INSTRUMENTS, KINDS, TEMPI, Kind


def test_same_seed_composes_the_same_piece() -> None:
    assert compose(Random("a")) == compose(Random("a"))
    assert compose(Random("a")) != compose(Random("b"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_genre_composes_every_kind(kind: Kind) -> None:
    for genre in GENRES:
        piece = compose(Random(genre.name), kind, genre)
        assert (piece.lead is None) == (kind in {"drums", "bass"})
        assert piece.has_drums or kind != "drums"
        assert 1 <= len(piece.parts) <= 4
        for part in piece.parts:
            assert part.notes
            assert min(note.start for note in part.notes) < 4
            assert all(0 <= note.start < 4 * BARS and note.length > 0 for note in part.notes)
            assert all(0 <= note.pitch < 128 and 0 < note.velocity < 128 for note in part.notes)


def test_leads_stay_in_their_instruments_range() -> None:
    for instrument in INSTRUMENTS:
        lead = compose(Random(1), "solo", lead=instrument).parts[0]
        assert lead.program == instrument.program
        assert all(instrument.low <= note.pitch <= instrument.high for note in lead.notes)


def test_a_melody_repeats_its_rhythm() -> None:
    notes = compose(Random(2), "solo").parts[0].notes
    first, third = ([note.start % 4 for note in notes if int(note.start // 4) == bar] for bar in (0, 2))
    assert first == third


def test_neighbouring_tempi_differ_by_more_than_the_judges_tolerance() -> None:
    assert all(after / before > 1.05 for before, after in pairwise(TEMPI))
