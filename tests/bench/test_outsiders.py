"""What bench/outsiders.py measures without judges: pure functions on sounds and notes made here."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
import worker_clips
from outside import clips, fidelity, harmony, probe
from outside.listen import found_by
from outside.measures import MEASURES, Heard
from outside.sounds import Sounds, at_one_peak, seed_of

from riffusion.generate import NoControl
from riffusion.spectrogram.canvas import Canvas
from riffusion.spectrogram.codec import SpectrogramCodec
from riffusion.testing import save_tiny_checkpoint
from riffusion.training.data.composer import compose
from riffusion.training.data.music import GENRE, INSTRUMENT, INSTRUMENTS
from riffusion.training.data.piece import Note, Part, Piece

RATE = 44100
A4 = 69


def tone(ratios: Sequence[float], fundamental: float = 440.0, seconds: float = 1.0) -> npt.NDArray[np.float32]:
    """Sine waves at these multiples of a fundamental, the higher the softer."""
    time = np.arange(round(seconds * RATE)) / RATE
    partials = [np.sin(2 * np.pi * fundamental * ratio * time) / ratio for ratio in ratios]
    return np.asarray(np.sum(partials, axis=0), np.float32)


def played(*pitches: float, start: float = 0.0, end: float = 1.0) -> npt.NDArray[np.float64]:
    return np.array([[start, end, pitch, 1.0] for pitch in pitches], np.float64).reshape(-1, 4)


def test_a_harmonic_note_has_its_energy_on_its_partials() -> None:
    assert fidelity.harmonicity(tone(range(1, 9)), RATE, played(A4)) > 0.99


def test_an_inharmonic_note_loses_what_lies_between_partials() -> None:
    ratios = [1, 2.37, 3.41, 4.52]
    expected = 1 / sum(1 / ratio**2 for ratio in ratios)
    assert fidelity.harmonicity(tone(ratios), RATE, played(A4)) == pytest.approx(expected, abs=0.02)


def test_a_chord_is_harmonic_where_all_its_notes_were_found() -> None:
    fifth = tone(range(1, 9)) + tone(range(1, 9), 440 * 2 ** (7 / 12))
    whole = fidelity.harmonicity(fifth, RATE, played(A4, A4 + 7))
    assert whole > 0.98
    assert fidelity.harmonicity(fifth, RATE, played(A4)) < whole - 0.2


def test_noise_is_hardly_harmonic_and_without_notes_there_is_no_figure() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE).astype(np.float32)
    assert fidelity.harmonicity(noise, RATE, played(A4)) < 0.3
    assert np.isnan(fidelity.harmonicity(noise, RATE, played()))


@pytest.mark.parametrize("tuning", [0.0, 0.3, 0.5])
def test_a_tuning_that_is_kept_is_no_error(tuning: float) -> None:
    pitches = np.array([60, 62, 64, 65, 67]) + tuning
    assert fidelity.cents_off(pitches) == pytest.approx(0, abs=1e-6)


def test_detuned_notes_are_off_by_what_they_are_detuned() -> None:
    pitches = np.array([60, 62, 64, 65]) + np.array([0.2, -0.2, 0.2, -0.2])
    assert fidelity.cents_off(pitches) == pytest.approx(20)
    random = np.random.default_rng(0).uniform(40, 80, 20_000)
    assert fidelity.cents_off(random) == pytest.approx(25, abs=1)


def test_voices_are_counted_where_notes_sound() -> None:
    notes = np.concatenate([played(60, 64, 67, end=1.0), played(72, start=1.0, end=2.0)])
    assert fidelity.polyphony(notes, 4.0) == pytest.approx(2.0)
    assert fidelity.silent_share(notes, 4.0) == pytest.approx(0.5)
    assert fidelity.polyphony(played(), 4.0) == 0
    assert fidelity.silent_share(played(), 4.0) == 1


def test_a_click_is_a_sharper_onset_than_a_swell() -> None:
    noise = np.random.default_rng(0).standard_normal(RATE)
    phase = np.arange(RATE) % (RATE // 8) / (RATE // 8)
    click = (noise * np.exp(-8 * phase)).astype(np.float32)
    swell = (noise * np.sin(np.pi * phase) ** 2 + 0.01 * noise).astype(np.float32)
    assert fidelity.onset_peak(click) > fidelity.onset_peak(swell) + 6


def test_the_best_key_holds_the_notes() -> None:
    notes = played(62, 64, 66, 67, 69, 71, 73)
    assert harmony.best_scale(notes) == harmony.scale_of_key("D major") == harmony.scale_of_key("B minor")
    assert harmony.in_scale(notes, harmony.scale_of_key("D major")) == 1
    assert harmony.in_scale(notes, harmony.scale_of_key("C major")) == pytest.approx(5 / 7)


@pytest.mark.parametrize(("name", "tonic"), [("Bb major", 10), ("F# minor", 9), ("A minor", 0), ("C# major", 1)])
def test_keys_have_their_names(name: str, tonic: int) -> None:
    assert harmony.scale_of_key(name) == harmony.scale(tonic)


def chord(start: float, end: float, *classes: int) -> list[float]:
    return [start, end, *(float(n in classes) for n in range(12))]


def test_chords_count_for_the_time_they_lie_in_the_key() -> None:
    found = np.array([chord(0, 1, 0, 4, 7), chord(1, 3, 0, 3, 7), chord(3, 4)])
    assert harmony.chords_in_scale(found, harmony.scale(0)) == pytest.approx(0.25)


def test_chords_are_compared_with_those_composed() -> None:
    piece = compose(Random(1), kind="chords", genre=GENRE["folk"], lead=INSTRUMENT["piano"], bpm=120)
    composed = harmony.composed_chords(piece, 4.0)
    assert composed[-1][0] == 4.0
    begins = [0.0, *(end for end, _ in composed)]
    right = np.array([chord(begin, end, *classes) for begin, (end, classes) in zip(begins, composed, strict=False)])
    assert harmony.chords_as_composed(right, composed) == pytest.approx(1)
    wrong = right.copy()
    wrong[:, 2:] = np.roll(right[:, 2:], 1, axis=1)
    assert harmony.chords_as_composed(wrong, composed) < 0.2


def test_a_chord_lasts_through_beats_without_notes() -> None:
    notes = tuple(Note(0.0, 1.0, pitch, 100) for pitch in (60, 64, 67))
    piece = Piece("chords", GENRE["folk"], INSTRUMENT["piano"], 120, "happy", 0, (Part(0, notes, 1.0),))
    assert [classes for _, classes in harmony.composed_chords(piece, 2.0)] == [{0, 4, 7}] * 4


def test_captions_are_balanced_over_kinds_and_instruments() -> None:
    chosen = clips.balanced("held-out", 144)
    kinds = Counter(clip.piece.kind for clip in chosen)
    assert kinds == {"drums": 16, "bass": 16, "solo": 48, "chords": 32, "full": 32}
    for kind in ("solo", "chords", "full"):
        leads = Counter(clip.piece.lead.name for clip in chosen if clip.piece.kind == kind and clip.piece.lead)
        assert set(leads) == {each.name for each in INSTRUMENTS if each.chordal or kind != "chords"}
        assert max(leads.values()) - min(leads.values()) <= 1
    assert all(clip.stated.lead == (clip.piece.lead and clip.piece.lead.name) for clip in chosen)


def test_a_probe_learns_what_differs_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 60, 20))
    assert probe.separability(one, other) == pytest.approx(0.5, abs=0.15)
    assert probe.separability(one, other + 3 * np.eye(20)[0]) > 0.85
    assert probe.classify(np.eye(3), ["a", "b", "c"], np.eye(3)[[2, 0]]) == ["c", "a"]


@pytest.mark.parametrize(
    ("name", "worst"),
    [("in_key solo", 0), ("pitch_confidence", 0), ("cents solo", fidelity.RANDOM_CENTS), ("harmonicity", 0)],
)
def test_a_clip_in_which_nothing_is_heard_counts_as_wrong(name: str, worst: float, tmp_path: Path) -> None:
    clip = next(clip for clip in clips.clips_of("held-out") if clip.piece.kind == "solo")
    np.save(found_by("notes", tmp_path / "clip.wav"), np.zeros((0, 4)))
    np.save(found_by("pitch", tmp_path / "clip.wav"), np.zeros((0, 3)))
    (measure,) = [each for each in MEASURES if each.name == name]
    assert measure.mean([Heard(clip, tmp_path / "clip.wav")]) == worst


def test_clips_of_a_quality_are_a_workers_and_are_made_once(tmp_path: Path) -> None:
    model = save_tiny_checkpoint(tmp_path / "model")
    (model / "defaults.json").write_text('{"qualities": {"fast": {"steps": 2}}}')
    sounds, clip = Sounds(tmp_path, model, "fast"), next(clips.clips_of("held-out"))
    sounds.make("generated", [clip])
    path = sounds.path("generated", clip)
    heard, rate = soundfile.read(path, dtype="float32")
    with worker_clips.generator(model) as generator:
        request = worker_clips.request(clip.caption, seed_of(clip), quality="fast", format="wav")
        wave = SpectrogramCodec().decode(Canvas.open(generator.run(request, {}, NoControl()).png))[0].numpy()
    assert rate == RATE
    assert np.allclose(heard, at_one_peak(wave), atol=1e-3)
    written = path.stat().st_mtime_ns
    sounds.make("generated", [clip])
    assert path.stat().st_mtime_ns == written
