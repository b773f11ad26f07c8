"""Music judged by models that nobody here made: real renders, the same through codec and autoencoder, and generated.

    make bench-outsiders
    .venv/bin/python bench/outsiders.py [--model riffusion/models/tiny] [--captions 144] [--processes 1] [--cache F]

The judges (bench/outside/judges) run in .venv-outsiders, which `make bench-outsiders` builds. Columns: `real` renders
of held-out pieces, `codec` their sound after the picture, `vae` after picture and autoencoder, `generated` from the
captions. `floor` is how far two halves of the real renders differ; `chance` is what other clips' captions would give.
Sounds and findings are kept in the cache. The last line is JSON: ratios are `generated` over `vae`.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from outside.clips import Clip, balanced
from outside.measures import MEASURES, Heard
from outside.probe import Floats, classify, separability
from outside.sounds import COLUMNS, Sounds, make_all

ROOT = Path(__file__).parents[1]
LISTENER = ROOT / ".venv-outsiders" / "bin" / "python"
TUTORS = 270  # training pieces whose sound, through codec and autoencoder, teaches the probe for lead instruments
_JUDGES = {
    "drums": ("tempo", "tags"),
    "bass": ("tempo", "tags", "notes", "pitch"),
    "solo": ("tempo", "tags", "notes", "pitch"),
    "chords": ("tempo", "tags", "notes", "chords"),
    "full": ("tempo", "tags", "notes", "chords"),
}
_SHIFT = 5  # places in a kind between a clip and the one whose caption shows chance


def listen(wanted: Sequence[tuple[str, Path]], processes: int) -> None:
    """Runs judges over sounds, in their own environment."""
    running = []
    for n in range(processes):
        # Of one cache that two processes have written, Numba may load a broken function: each gets its own.
        environment = os.environ | {"NUMBA_CACHE_DIR": str(LISTENER.parents[1] / f"numba-{n}")}
        listener = subprocess.Popen(
            [LISTENER, "-m", "outside.listen"], cwd=ROOT / "bench", stdin=subprocess.PIPE, text=True, env=environment
        )
        assert listener.stdin
        listener.stdin.write("".join(f"{judge} {path.resolve()}\n" for judge, path in wanted[n::processes]))
        listener.stdin.close()
        running.append(listener)
    if any(listener.wait() for listener in running):
        sys.exit("A judge failed: its error stands above.")


def tags(sounds: Sequence[Heard]) -> Floats:
    """The tagger's features [N, F]."""
    return np.stack([each.found("tags") for each in sounds])


def lead_rows(columns: dict[str, list[Heard]], tutors: Sequence[Heard]) -> dict[str, dict[str, float]]:
    """How often the probe names the lead instrument right, alone and in full arrangements."""
    known = tags(tutors), [str(each.clip.stated.lead) for each in tutors]
    rows = {}
    for name, kinds in (("lead_solo", ("solo", "chords")), ("lead_full", ("full",))):
        row = {}
        for column, sounds in columns.items():
            asked = [each for each in sounds if each.clip.piece.kind in kinds]
            named, wanted = classify(*known, tags(asked)), [str(each.clip.stated.lead) for each in asked]
            row[column] = float(np.mean([one == other for one, other in zip(named, wanted, strict=True)]))
            others = [wanted[(n + _SHIFT) % len(wanted)] for n in range(len(wanted))]
            row["chance"] = float(np.mean([one == other for one, other in zip(named, others, strict=True)]))
        rows[name] = row
    return rows


def measured_rows(columns: dict[str, list[Heard]]) -> dict[str, dict[str, float]]:
    """Every measure's mean for each column, the floor, and chance where there is one."""
    rows = {}
    for measure in MEASURES:
        shown = [column for column in COLUMNS if not (measure.rendered_only and column == "generated")]
        row = {column: measure.mean(columns[column]) for column in shown}
        halves = [measure.mean(columns["real"][n::2]) for n in (0, 1)]
        row["floor"] = abs(halves[0] - halves[1])
        if measure.compared:
            row["chance"] = measure.mean(columns[shown[-1]], shift=_SHIFT)
        rows[measure.name] = row
    return rows


def apart_rows(columns: dict[str, list[Heard]]) -> dict[str, dict[str, float]]:
    """How well a classifier distinguishes each column from the real one, and from that of codec and autoencoder."""
    features = {column: tags(sounds) for column, sounds in columns.items()}
    rows = {}
    for base in ("real", "vae"):
        row = {column: separability(features[base], features[column]) for column in COLUMNS if column != base}
        half = len(features[base]) // 2
        row["floor"] = separability(features[base][0 : 2 * half : 2], features[base][1 : 2 * half : 2])
        rows[f"apart from {base}"] = row | {"chance": 0.5}
    return rows


def summary(rows: dict[str, dict[str, float]], count: int) -> dict[str, float]:
    """The last line."""

    def ratio(name: str) -> float:
        return rows[name]["generated"] / rows[name]["vae"]

    return {
        "n": count,
        "in_key": rows["in_key"]["generated"],
        "pitch_confidence_ratio": ratio("pitch_confidence"),
        "cents_ratio": ratio("cents"),
        "silent_solo": rows["silent solo"]["generated"],
        "polyphony_ratio": ratio("polyphony"),
        "harmonicity_ratio": ratio("harmonicity"),
        "chords_ratio": ratio("chords"),
        "onset_db": rows["onset"]["generated"] - rows["onset"]["vae"],
        "tempo": rows["tempo"]["generated"],
        "real_or_generated": rows["apart from vae"]["generated"],
        "lead_solo": rows["lead_solo"]["generated"],
        "lead_full": rows["lead_full"]["generated"],
    }


def main() -> None:
    """Makes the sounds, has them judged, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "riffusion" / "models" / "tiny")
    parser.add_argument("--quality", help="of the generated clips, instead of 20 steps of diffusers' pipeline")
    parser.add_argument("--captions", type=int, default=144)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=ROOT / "data" / "outsiders")
    options = parser.parse_args()
    sounds = Sounds(options.cache, options.model, options.quality)

    def hear(column: str, clips: Sequence[Clip]) -> list[Heard]:
        paths = make_all(sounds, column, clips, options.processes)
        return [Heard(clip, path) for clip, path in zip(clips, paths, strict=True)]

    clips = balanced("held-out", options.captions)
    columns = {column: hear(column, clips) for column in COLUMNS}
    tutors = hear("vae", [clip for clip in balanced("train", TUTORS) if clip.stated.lead])
    everything = [each for column in columns.values() for each in column]
    wanted = [(judge, each.path) for each in everything for judge in _JUDGES[each.clip.piece.kind]]
    listen([*wanted, *(("tags", each.path) for each in tutors)], options.processes)
    rows = measured_rows(columns) | apart_rows(columns) | lead_rows(columns, tutors)
    heads = (*COLUMNS, "floor", "chance")
    print(f"{'':>18}" + "".join(f"{head:>11}" for head in heads))
    for name, row in rows.items():
        print(f"{name:>18}" + "".join(f"{row[head]:11.3f}" if head in row else f"{'–':>11}" for head in heads))
    print(json.dumps({name: round(number, 4) for name, number in summary(rows, len(clips)).items()}))


if __name__ == "__main__":
    main()
