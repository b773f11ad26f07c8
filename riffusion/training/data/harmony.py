"""The chords of a piece: a genre's own progression, or one composed by function with a cadence where its clip ends."""

from dataclasses import dataclass
from random import Random

from riffusion.training.data.music import Genre, Mood
from riffusion.training.data.rhythm import beats_heard

SCALES: dict[Mood, tuple[int, ...]] = {"happy": (0, 2, 4, 5, 7, 9, 11), "sad": (0, 2, 3, 5, 7, 8, 10)}

# Which degrees may follow a degree: the tonic leads anywhere, subdominants lead to dominants, and those home.
_FOLLOWING: dict[Mood, dict[int, tuple[int, ...]]] = {
    "happy": {0: (1, 2, 3, 4, 5), 1: (4,), 2: (3, 5), 3: (0, 1, 4), 4: (0, 5), 5: (1, 3, 4)},
    "sad": {0: (2, 3, 4, 5, 6), 2: (3, 5, 6), 3: (0, 4, 6), 4: (0, 5), 5: (2, 3, 6), 6: (0, 2)},
}
# The last two chords: authentic (twice as often), plagal, deceptive and half cadences.
_CADENCES: dict[Mood, tuple[tuple[int, int], ...]] = {
    "happy": ((4, 0), (4, 0), (3, 0), (4, 5), (1, 4)),
    "sad": ((4, 0), (6, 0), (3, 0), (6, 5), (3, 4)),
}


@dataclass(frozen=True)
class Harmony:
    """The chords of a piece, one degree of the scale for every `chord_steps` sixteenths, repeated."""

    genre: Genre
    mood: Mood
    key: int
    degrees: tuple[int, ...]
    chord_steps: int

    def pitch_class(self, degree: int) -> int:
        """The pitch class, 0 to 11, of a scale degree from 0."""
        return (self.key + SCALES[self.mood][degree % 7]) % 12

    def chord(self, bar: int, step: int = 0) -> tuple[int, ...]:
        """Pitch classes (0 to 11) of the chord at a step of a bar, root first."""
        root = self.degrees[(bar * self.genre.steps + step) // self.chord_steps % len(self.degrees)]
        tones = (0, 2, 4, 6) if self.genre.sevenths else (0, 2, 4)
        return tuple(self.pitch_class(root + tone) for tone in tones)

    def scale(self, low: int, high: int) -> list[int]:
        """The MIDI pitches of the key from `low` to `high`."""
        classes = {self.pitch_class(degree) for degree in range(7)}
        return [pitch for pitch in range(low, high + 1) if pitch % 12 in classes]


def draw_harmony(rng: Random, genre: Genre, bpm: float) -> Harmony:
    """A key, a mood and chords; genres that stay on one or two chords keep to their own progressions."""
    mood: Mood = "sad" if rng.random() < genre.minor else "happy"
    key = rng.randrange(12)
    # A slow clip holds little more than a bar: only chords that change within it are heard to change.
    halved = genre.beats == 4 and bpm <= 110 and rng.random() < 0.5
    chord_steps = genre.steps // 2 if halved else genre.steps
    degrees = rng.choice(genre.progressions)
    if len(set(degrees)) > 2 and rng.random() < 0.5:
        degrees = _with_cadence(rng, mood, round(beats_heard(bpm) * 4 / chord_steps))
    return Harmony(genre, mood, key, degrees, chord_steps)


def _with_cadence(rng: Random, mood: Mood, length: int) -> tuple[int, ...]:
    degrees = [0]
    while len(degrees) < length - 2:
        degrees.append(rng.choice(_FOLLOWING[mood][degrees[-1]]))
    return (*degrees, *rng.choice(_CADENCES[mood]))
