"""All that is to be done on a machine with a CUDA GPU, in pieces of nine minutes at most.

    python tools/gpu_session.py RESULTS [--minutes 9] [--list]

Run it until it says that nothing is left. A piece whose result is in RESULTS is skipped, also where it failed: delete
its .json to run it again. A call starts pieces as long as its minutes last, and stops the one that runs then: a
distillation or training resumes at its last checkpoint, whose files are in build/gpu_session; anything else begins
again. RESULTS gets each piece's output and, of trainings, what they made so far, but no file beyond 16 MiB.

It has not been run on a GPU yet: none was available when it was written. The training needs FluidSynth and its
soundfont, as `riffusion train data` says; the UNet is trained on the GPU, in one process.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "gpu_session"
MODEL = ROOT / "riffusion" / "models" / "tiny"
LARGEST = 16 * 2**20
STOP_S = 20  # for a stopped piece to write its checkpoint
CAPTIONS = 4096
TRAIN = ("-m", "riffusion", "train")


@dataclass(frozen=True)
class Piece:
    """A command of this Python."""

    name: str
    arguments: Sequence[str]
    least_s: float
    """It is started if so much time is left: what it takes, or what is worth resuming."""
    made: Sequence[Path] = ()
    """Files and folders to be copied to the results, also of a stopped run."""


def pieces(work: Path) -> list[Piece]:
    """In the order in which they are run."""
    tiny, distilled, captions = work / "tiny", work / "distilled", work / "captions.txt"
    processes = ("--processes", str(os.cpu_count() or 1))
    tests = ("tests/generate/test_on_a_gpu.py", "tests/diffusion", "tests/bench/test_gpu.py")
    training = (*TRAIN, "tiny", "--folder", str(tiny), "--start-from", str(MODEL))
    return [
        Piece("cuda-tests", ("-m", "pytest", "-q", *tests), 180),
        Piece("bench-gpu", ("bench/gpu.py",), 300),
        Piece("bench-engine", ("bench/engine.py", "--clients", "1,8", "--rounds", "3"), 240),
        Piece("bench-engine-sd15", ("bench/engine.py", "--clients", "1,8", "--model", "random-sd15"), 300),
        Piece("captions", ("-c", WRITE_CAPTIONS, str(captions), str(CAPTIONS)), 10),
        Piece(
            "distillation",
            (
                *TRAIN, "distill", "--checkpoint", str(MODEL), "--data", str(captions), "--output", str(distilled),
                "--mixed-precision", "bf16", "--trajectories", str(CAPTIONS), "--batch", "64", "--rate", "1e-3",
                "--steps", "4000", "--checkpoint-every", "100", "--sample-every", "1000", "--judged", "200",
            ),
            60,
            (distilled / "lora", distilled / "judge.md", distilled / "metrics.jsonl"),
        ),
        Piece("data", (*TRAIN, "data", "--folder", str(tiny), *processes), 60),
        Piece(
            "training",
            (*training, "--processes", "1", "--batch", "128", "--steps", "20000", "--export-to", str(work / "model")),
            60,
            (work / "model", tiny / "unet" / "metrics.jsonl"),
        ),
    ]  # fmt: skip


WRITE_CAPTIONS = """
import sys
from pathlib import Path
from riffusion.training.data.captions import write_caption
from riffusion.training.data.composed_set import ComposedSet
clips = ComposedSet(Path(), "train", int(sys.argv[2]))
captions = [write_caption(clips.piece(n), clips.caption_rng(n))[0] for n in range(clips.count)]
Path(sys.argv[1]).write_text("".join(f"{caption}\\n" for caption in captions))
"""


def run(piece: Piece, results: Path, limit_s: float) -> str:
    """Runs a piece for so many seconds at most: `done`, `stopped`, or `failed` with the last line of its output."""
    began = time.monotonic()
    log = results / f"{piece.name}.log"
    with log.open("a") as output:
        process = subprocess.Popen(  # a group of its own, so that a stop reaches its processes
            [sys.executable, *piece.arguments], cwd=ROOT, stdout=output, stderr=output, start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        status = _waited(process, limit_s)
    for made in piece.made:
        _copy(made, results / piece.name)
    if status is None:
        return "stopped"
    outcome = f"failed with {status}: {(log.read_text().splitlines() or [''])[-1]}" if status else "done"
    result = {
        "outcome": outcome,
        "seconds": round(time.monotonic() - began),
        "ended": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }
    _result(piece, results).write_text(json.dumps(result) + "\n")
    return outcome


def _waited(process: "subprocess.Popen[bytes]", limit_s: float) -> int | None:
    """The exit status; None if it had to be stopped."""
    try:
        return process.wait(limit_s)
    except subprocess.TimeoutExpired:
        pass
    for stop in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, stop)
            process.wait(STOP_S)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    return None


def _result(piece: Piece, results: Path) -> Path:
    return results / f"{piece.name}.json"


def outcome_of(piece: Piece, results: Path) -> str:
    """What its result says; `left` if it has none."""
    result = _result(piece, results)
    return str(json.loads(result.read_text())["outcome"]) if result.exists() else "left"


def _copy(made: Path, folder: Path) -> None:
    """Copies a file, or a folder's files, but none that is too large."""
    for file in [made] if made.is_file() else [each for each in made.rglob("*") if each.is_file()]:
        if file.stat().st_size <= LARGEST:
            copied = folder / file.relative_to(made.parent)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)


def work_off(todo: Sequence[Piece], results: Path, seconds: float) -> bool:
    """Runs the pieces without a result, for so long; whether all are done."""
    end = time.monotonic() + seconds
    for piece in todo:
        outcome = outcome_of(piece, results)
        if outcome == "left":
            left = end - time.monotonic() - 2 * STOP_S
            outcome = run(piece, results, left) if left >= piece.least_s else "not started: too little time is left"
            print(f"{piece.name}: {outcome}", flush=True)
    return all(outcome_of(piece, results) == "done" for piece in todo)


def main(todo: Sequence[Piece]) -> None:
    """Exits with 0 once all are done, with 1 where something is left or failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--list", action="store_true", help="what came of each piece")
    options = parser.parse_args()
    if options.list:
        for piece in todo:
            print(f"{piece.name}: {outcome_of(piece, options.results)}")
        return
    if not torch.cuda.is_available():
        sys.exit("This needs CUDA, and torch finds none: run it on a machine with a GPU. --list works anywhere.")
    for folder in (options.results, WORK):
        folder.mkdir(parents=True, exist_ok=True)
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    sys.exit(not work_off(todo, options.results, 60 * options.minutes))


if __name__ == "__main__":
    main(pieces(WORK))
