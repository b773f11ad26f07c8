"""The cost and the accuracy of reconstruction: the three levels against torchaudio's Griffin-Lim, in one run.

    python bench/audio.py [RECORDING ...] [--rounds 5]

The reference is InverseMelScale and GriffinLim with 32 iterations at n_fft 17640, as the original has it. Every picture
is reconstructed by all, one after another on one thread; CPU times are medians, of `rounds` for ours. Pictures are the
seed images and 512 columns of each recording; without any named, those of `bench/recordings.py`. The last line is
JSON; ratios are ours over the reference's, of means over pictures; `speedup` is the median over pictures.
"""

import argparse
import ctypes
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import torch
from audio_files import files
from audio_joins import joins, loops, outputs, stereo
from audio_material import recorded_pictures, seed_pictures
from audio_metrics import Picture, Scores, score
from torch import Tensor
from torchaudio.transforms import GriffinLim, InverseMelScale

from riffusion.geometry import DEFAULT
from riffusion.spectrogram.codec import SCHEDULES, SpectrogramCodec

Decoder = Callable[[Picture], Tensor]


def reference(picture: Picture) -> Tensor:
    """The original's reconstruction, with random phases from a fixed seed."""
    torch.manual_seed(0)
    bins = DEFAULT.n_fft // 2 + 1
    inverse = InverseMelScale(bins, DEFAULT.frequencies, DEFAULT.sample_rate, 0.0, float(DEFAULT.max_hz))
    iterate = GriffinLim(DEFAULT.n_fft, 32, DEFAULT.win_length, DEFAULT.hop_length, power=1.0)
    wave: Tensor = iterate(inverse(picture.mel))
    return wave


def decoders() -> dict[str, Decoder]:
    """The reference and our levels, warmed up."""
    codecs = {quality: SpectrogramCodec(quality=quality) for quality in SCHEDULES}
    codecs["fast"].warm_up()
    ours: dict[str, Decoder] = {quality: partial(_decoded, codec) for quality, codec in codecs.items()}
    return {"reference": reference, **ours}


def _decoded(codec: SpectrogramCodec, picture: Picture) -> Tensor:
    return codec.decode(picture.canvas)


def measured(decode: Decoder, picture: Picture, rounds: int) -> tuple[float, Scores]:
    """CPU seconds (median) and scores of one picture's reconstruction."""
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        wave = decode(picture)
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), score(wave, picture)


def peak_mb(method: str) -> float:
    """Peak memory of a reconstruction on top of a warmed-up process, measured in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--peak", method], capture_output=True, text=True, check=True)
    return float(done.stdout)


def print_peak(method: str) -> None:
    """Body of `peak_mb`'s process: returns freed memory to Linux and resets the recorded peak (proc(5))."""
    picture, decode = seed_pictures()[0], decoders()[method]
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory_mb("VmRSS")
    decode(picture)
    print(_memory_mb("VmHWM") - before)


def _memory_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 2**10 for line in lines if line.startswith(f"{field}:"))


def row(name: str, cpu_s: float, speedup: float, scores: dict[str, Scores], peak: float) -> str:
    """A line of the table."""
    cells = [f"{name:10} {1000 * cpu_s:8.0f} {speedup:7.1f} {peak:7.0f}"]
    cells += [" ".join(f"{value:6.3f}" for value in kind if not math.isnan(value)) for kind in scores.values()]
    return " | ".join(cells)


def means(scores: list[Scores]) -> Scores:
    """Scores over pictures; MR over those that have a recording."""
    columns = [[value for value in column if not math.isnan(value)] for column in zip(*scores, strict=True)]
    return Scores(*(statistics.fmean(column) if column else math.nan for column in columns))


def compare(recordings: list[Picture], seeds: list[Picture], rounds: int) -> dict[str, dict[str, float]]:
    """Prints the table and returns the ratios of each level."""
    pictures = recordings + seeds
    results: dict[str, list[tuple[float, Scores]]] = {name: [] for name in decoders()}
    for picture in pictures:
        for name, decode in decoders().items():
            results[name].append(measured(decode, picture, 1 if name in ("reference", "best") else rounds))
    print(f"{'':10} {'CPU ms':>8} {'x':>7} {'MB':>7} | recordings: px, SC, LMD, MR, MSC | seed images: px, SC, LMD")
    ratios = {}
    for name, result in results.items():
        speedups = [base[0] / own[0] for base, own in zip(results["reference"], result, strict=True)]
        scores = [own[1] for own in result]
        parts = {"recordings": means(scores[: len(recordings)]), "seeds": means(scores[len(recordings) :])}
        peak = peak_mb(name)
        speedup = statistics.median(speedups)
        print(row(name, statistics.median(own[0] for own in result), speedup, parts, peak))
        ratios[name] = {"speedup": speedup, "peak_mb": peak, **_absolute(parts, scores)}
    base = ratios.pop("reference")
    return {name: {key: _ratio(key, own[key], base[key]) for key in own} for name, own in ratios.items()}


def _absolute(parts: dict[str, Scores], scores: list[Scores]) -> dict[str, float]:
    every = means(scores)
    return {
        "px_ratio_recordings": parts["recordings"].px,
        "px_ratio_seeds": parts["seeds"].px,
        "sc_ratio": every.sc,
        "lmd_ratio": every.lmd,
        "mr_ratio": every.mr,
        "msc_ratio": every.msc,
    }


def _ratio(key: str, own: float, base: float) -> float:
    return round(own / base if key.endswith("ratio") or "_ratio_" in key else own, 3)


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peak", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.peak:
        print_peak(arguments.peak)
        return
    recordings, seeds = recorded_pictures(arguments.recordings), seed_pictures()
    print(
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.processor() or platform.machine()}, {os.cpu_count()} CPUs, 1 thread"
    )
    print(f"{len(recordings)} recordings: {', '.join(picture.name for picture in recordings)}")
    ratios = compare(recordings, seeds, arguments.rounds)
    pieces = [picture.recording for picture in recordings if picture.recording is not None]
    further = {**joins(recordings), **loops(seeds), **stereo(pieces, reference), **outputs(seeds)}
    further |= files(seeds, arguments.rounds)
    for name, value in further.items():
        print(f"{name:28} {np.round(value, 3)}")
    print(json.dumps({**ratios, **{name: round(value, 3) for name, value in further.items()}}))


if __name__ == "__main__":
    main()
