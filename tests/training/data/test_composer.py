"""The composer: the same seed composes the same piece, and pieces match their facts."""

from itertools import pairwise
from random import Random

import pytest

from riffusion.training.data.composed_set import CLIP_SECONDS
from riffusion.training.data.composer import compose
from riffusion.training.data.harmony import Harmony
from riffusion.training.data.melody import draw_melody
from riffusion.training.data.music import GENRE, GENRES, INSTRUMENT, INSTRUMENTS, KINDS, TEMPI, Kind
from riffusion.training.data.piece import Note, Piece


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
            assert all(0 <= note.start < genre.beats * genre.bars and note.length > 0 for note in part.notes)
            assert all(0 <= note.pitch < 128 and 0 < note.velocity < 128 for note in part.notes)


def test_every_pattern_of_a_genre_is_one_bar_and_pieces_outlast_their_clips() -> None:
    for genre in GENRES:
        patterns = (*genre.kick, *genre.snare, *genre.hat, *genre.bass, *genre.comp)
        assert {len(pattern) for pattern in patterns} == {genre.steps}
        assert genre.beats in {3, 4}
        assert genre.beats * genre.bars * 60 / TEMPI[-1] > CLIP_SECONDS


def test_leads_stay_in_their_instruments_range() -> None:
    for seed in range(5):
        for instrument in INSTRUMENTS:
            lead = compose(Random(seed), "solo", lead=instrument).parts[0]
            assert lead.program == instrument.program
            assert all(instrument.low <= note.pitch <= instrument.high for note in lead.notes)


def test_every_tonal_note_belongs_to_the_key() -> None:
    for seed in range(60):
        piece = compose(Random(seed))
        scale = (0, 2, 4, 5, 7, 9, 11) if piece.mood == "happy" else (0, 2, 3, 5, 7, 8, 10)
        tonal = [note for part in piece.parts if not part.is_drums for note in part.notes]
        assert all((note.pitch - piece.key) % 12 in scale for note in tonal)


def test_a_motif_returns() -> None:
    """At 150 bpm motifs last a bar and the form is A B A."""
    notes = compose(Random(2), "solo", GENRE["pop"], INSTRUMENT["trumpet"], 150).parts[0].notes
    first, third = ([note for note in notes if note.start // 4 == bar] for bar in (0, 2))
    assert [note.start % 4 for note in first] == [note.start % 4 for note in third]
    assert _directions(first) == _directions(third)


def _directions(notes: list[Note]) -> list[bool]:
    return [after.pitch >= before.pitch for before, after in pairwise(notes)]


def test_a_phrase_ends_on_a_chord_tone() -> None:
    """At 66 bpm a phrase has three motifs of two beats."""
    harmony = Harmony(GENRE["pop"], "happy", 0, (0,), 16)
    for seed in range(20):
        melody = draw_melody(Random(seed), harmony, INSTRUMENT["trumpet"], 66)
        last = [note for note in melody.notes if note.start < 6][-1]
        assert last.pitch % 12 in {0, 4, 7}


def test_a_waltz_has_its_bass_on_one_and_its_chords_on_two_and_three() -> None:
    piece = compose(Random(1), "chords", GENRE["waltz"], INSTRUMENT["piano"])
    voices = [sum(note.start == beat for note in piece.parts[0].notes) for beat in range(6)]
    assert voices == [1, 3, 3, 1, 3, 3]


@pytest.mark.parametrize(("lead", "has_them"), [("violin", True), ("piano", False)])
def test_only_some_instruments_have_grace_notes(lead: str, has_them: bool) -> None:
    assert any(_graces(compose(Random(n), "solo", GENRE["pop"], INSTRUMENT[lead])) for n in range(20)) == has_them


def _graces(piece: Piece) -> list[Note]:
    return [note for note in piece.parts[0].notes if note.length == 0.1]


@pytest.mark.parametrize(("lead", "has_them"), [("harp", True), ("flute", False)])
def test_only_chordal_instruments_play_intervals(lead: str, has_them: bool) -> None:
    pieces = [compose(Random(n), "solo", GENRE["pop"], INSTRUMENT[lead]) for n in range(20)]
    starts = [[note.start for note in piece.parts[0].notes if note.length != 0.1] for piece in pieces]
    assert any(len(each) > len(set(each)) for each in starts) == has_them


def test_neighbouring_tempi_differ_by_more_than_the_judges_tolerance() -> None:
    assert all(after / before > 1.05 for before, after in pairwise(TEMPI))
