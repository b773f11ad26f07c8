"""When notes start and how loud they are: swing, accents, and how much of a piece a clip holds."""

from random import Random

from riffusion.training.data.music import Genre

_CLIP_SECONDS = 5.12
_MARKS = {"x": 1.0, "o": 0.66}


def beats_heard(bpm: float) -> float:
    """The beats of a piece that its clip holds."""
    return _CLIP_SECONDS * bpm / 60


def onset(genre: Genre, bar: int, step: int) -> float:
    """Beats from the start of the piece to a sixteenth step, the genre's swing applied to the off-beat eighths."""
    beat, quarter = divmod(step, 4)
    within = (0.0, genre.swing / 2, genre.swing, (1 + genre.swing) / 2)[quarter]
    return float(genre.beats * bar + beat + within)


def is_strong(genre: Genre, step: int) -> bool:
    """Whether a step is a strong beat: the first and third of four, the first of three."""
    return step % (8 if genre.beats == 4 else genre.steps) == 0


def velocity(rng: Random, genre: Genre, level: float, step: int, mark: str = "x") -> int:
    """A MIDI velocity: louder on the beats, a little uneven as a player is."""
    accent = 1.0 if is_strong(genre, step) else 0.93 if step % 4 == 0 else 0.84
    return max(1, min(127, round(level * accent * _MARKS[mark] * rng.uniform(0.93, 1.05))))


def on_every_beat(pattern: str, mark: str) -> str:
    """The pattern with its silent beats struck too: alone, an instrument has to carry the tempo itself."""
    return "".join(mark if step % 4 == 0 and each == "." else each for step, each in enumerate(pattern))


def with_following(steps: list[int], end: int) -> list[tuple[int, int]]:
    """Each step with the one that follows it, the last one with `end`."""
    return list(zip(steps, [*steps[1:], end], strict=True))
