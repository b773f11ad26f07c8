"""How well key, beat, tempo and timbre hold along a minute that extend, loop and interpolate make.

    make bench-continuity
    .venv/bin/python bench/continuity.py [--model riffusion/models/tiny] [--each 2] [--clips 12] [--folder F]

Outside judges (bench/outside/judges) hear each piece in windows of a clip's length, and each window is compared with
the next one and with the first. Columns: `real` pieces by the composer, through codec and autoencoder; `joined` clips
of one caption and several seeds; the modes; `chance`, windows of extensions of different captions. Captions state lead
and tempo, not the key. A repeated loop is the same by construction: only its joins say something. `notes` are those
heard in a window, which shows whether a piece holds because little happens in it. The last line is JSON.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
from outside import hold
from outside.clips import Clip, tempo_without_key
from outside.judges.onsets import RATE
from outside.listen import found_by
from outside.long_pieces import CLIP_S, LongPieces, Samples
from outside.sounds import at_one_peak
from outsiders import listen

from riffusion.generate import Generator
from riffusion.geometry import DEFAULT
from riffusion.settings import Settings
from riffusion.training.data.music import Kind
from riffusion.training.evaluation.adherence import same_tempo_or_octave

ROOT = Path(__file__).parents[1]
KINDS: tuple[Kind, ...] = ("solo", "chords", "full")
_JUMP = 1 / 8  # beat: what is heard as a stumble
_FAR = 3  # windows between two that are compared across pieces

Figures = dict[str, float]


@dataclass(frozen=True)
class Window:
    """A part of a piece as the judges hear it."""

    notes: hold.Floats
    beat: hold.Beat
    tempo: float
    tags: hold.Floats
    """Features [D] of the tagger."""
    level: float
    """In dB."""


@dataclass(frozen=True)
class Heard:
    """A piece's sound on disk."""

    clip: Clip
    path: Path
    windows_at: Sequence[Path]

    @property
    def wanted(self) -> Iterator[tuple[str, Path]]:
        """Which judges shall hear what."""
        yield from (("notes", self.path), ("onsets", self.path))
        yield from ((judge, window) for window in self.windows_at for judge in ("tempo", "tags"))

    @cached_property
    def windows(self) -> list[Window]:
        """What they found."""
        notes, onsets = np.load(found_by("notes", self.path)), np.load(found_by("onsets", self.path))
        windows = []
        for n, path in enumerate(self.windows_at):
            begin, end = n * CLIP_S, (n + 1) * CLIP_S
            samples, _ = soundfile.read(path)
            windows.append(
                Window(
                    hold.notes_within(notes, begin, end),
                    hold.beat_of(onsets[round(begin * RATE) : round(end * RATE)], self.clip.piece.bpm),
                    float(np.load(found_by("tempo", path))[0]),
                    np.load(found_by("tags", path)),
                    float(10 * np.log10(np.mean(samples**2) + 1e-12)),
                )
            )
        return windows


def write(folder: Path, clip: Clip, samples: Samples) -> Heard:
    """The piece and its windows as WAV files of one peak."""
    folder.mkdir(parents=True)
    scaled = at_one_peak(samples)
    length = round(CLIP_S * DEFAULT.sample_rate)
    count = round(len(scaled) / length)
    files = [folder / "piece.wav", *(folder / f"window-{n:02d}.wav" for n in range(count))]
    for file, part in zip(files, [scaled, *(scaled[n * length : (n + 1) * length] for n in range(count))], strict=True):
        soundfile.write(file, part, DEFAULT.sample_rate, subtype="PCM_16")
    return Heard(clip, files[0], files[1:])


def compared(pairs: Sequence[tuple[Window, Window]], usual: hold.Floats) -> Figures:
    """Means over pairs of windows; `usual` [2, D] is the mean and spread of the tagger's features."""
    return {
        "key": float(np.nanmean([hold.one_key(one.notes, other.notes) for one, other in pairs])),
        "tempo": float(np.mean([same_tempo_or_octave(other.tempo, one.tempo) for one, other in pairs])),
        "timbre": float(np.mean([hold.alike(*((each.tags - usual[0]) / usual[1] for each in pair)) for pair in pairs])),
        "level": float(np.mean([abs(one.level - other.level) for one, other in pairs])),
    }


def row_of(pieces: Sequence[Heard], usual: hold.Floats) -> Figures:
    """A column's figures: neighbours, then each window with the first."""
    next_ones = [pair for piece in pieces for pair in pairwise(piece.windows)]
    first_ones = [(piece.windows[0], later) for piece in pieces for later in piece.windows[1:]]
    jumps = [hold.beat_jump(one.beat, other.beat, CLIP_S) for one, other in next_ones]
    return {
        **compared(next_ones, usual),
        "beat jump": float(np.mean(jumps)),
        "jumps": float(np.mean(np.array(jumps) > _JUMP)),
        **{f"{name} to first": figure for name, figure in compared(first_ones, usual).items()},
        "notes": float(np.mean([len(window.notes) for piece in pieces for window in piece.windows])),
    }


def chance(pieces: Sequence[Heard], usual: hold.Floats) -> Figures:
    """Windows of one piece against those of another."""
    strangers = [
        (window, piece.windows[(n + _FAR) % len(piece.windows)])
        for k, piece in enumerate(pieces)
        for n, window in enumerate(pieces[k - 1].windows)
    ]
    jumps = [hold.beat_jump(one.beat, other.beat, CLIP_S) for one, other in strangers]
    figures = {"beat jump": float(np.mean(jumps)), "jumps": float(np.mean(np.array(jumps) > _JUMP))}
    return compared(strangers, usual) | figures


def main() -> None:
    """Makes the pieces, has them judged, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "riffusion" / "models" / "tiny")
    parser.add_argument("--each", type=int, default=2, help="pieces of each kind")
    parser.add_argument("--clips", type=int, default=12, help="that a piece is as long as")
    parser.add_argument("--folder", type=Path, default=ROOT / "data" / "continuity", help="for a folder of this run")
    options = parser.parse_args()
    folder = options.folder / datetime.now(UTC).strftime("%Y-%m-%d-%H%M%S")
    clips = tempo_without_key("held-out", KINDS, options.each)
    heard: dict[str, list[Heard]] = {}
    with Generator.load(Settings(device="cpu", checkpoint=str(options.model))) as generator:
        pieces = LongPieces(generator, options.model, options.clips)
        for name, make in pieces.columns.items():
            heard[name] = [write(folder / name / str(n), clip, make(clip, n)) for n, clip in enumerate(clips)]
    listen([each for column in heard.values() for piece in column for each in piece.wanted], processes=1)
    features = np.stack([window.tags for piece in heard["real"] for window in piece.windows])
    usual = np.stack([features.mean(0), features.std(0) + 1e-6])
    rows = {name: row_of(column, usual) for name, column in heard.items()}
    rows["chance"] = chance(heard["extend"], usual)
    print(f"{'':>16}" + "".join(f"{name:>13}" for name in rows))
    for figure in rows["real"]:
        shown = (f"{row[figure]:13.3f}" if figure in row else f"{'–':>13}" for row in rows.values())
        print(f"{figure:>16}" + "".join(shown))
    figures = {f"{name} {figure}": number for name, row in rows.items() for figure, number in row.items()}
    print(json.dumps({name.replace(" ", "_"): round(number, 4) for name, number in figures.items()}))


if __name__ == "__main__":
    main()
