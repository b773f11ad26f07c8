"""Trains and tests the judge, and writes it into the package."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from riffusion.training.data.captions import all_about
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.data.whole_file import whole_file
from riffusion.training.evaluation.adherence import adherence
from riffusion.training.evaluation.counterexamples import FAULTS
from riffusion.training.evaluation.judge import Judge, Verdict, train_judge
from riffusion.training.runs.judge_examples import STRENGTHS, Trial, examples, trials
from riffusion.training.runs.tiny_folder import TinyRun


def make_judge(job: TinyRun) -> dict[str, Any]:
    """Trains the judge on rendered clips, writes it into the package, and returns its scores on held-out ones.

    Each shard's examples are kept in the working folder: a stopped run resumes at its shard.
    """
    clips, tests = job.train_set, job.held_out_set
    with ProcessPoolExecutor(job.trainer.processes, get_context("spawn")) as pool:
        paths = list(tqdm(pool.map(_kept_examples, repeat(clips), range(clips.shards)), "examples", clips.shards))
        kept = [np.load(path) for path in paths]
        judge = train_judge(
            np.concatenate([each["features"] for each in kept]),
            torch.from_numpy(np.concatenate([each["labels"] for each in kept])),
        )
        tested = pool.map(trials, repeat(tests), range(tests.shards))
        scores = scores_in(judge, [trial for each in tested for trial in each])
    judge.save(scores)
    return scores


def _kept_examples(clips: ComposedSet, number: int) -> Path:
    path = clips.folder / f"judge-{clips.seed}" / f"{number:04d}.npz"
    if not path.exists():
        inputs, labels = examples(clips, number)
        with whole_file(path) as file:
            np.savez(file, features=inputs, labels=labels)
    return path


def scores_in(judge: Judge, tests: Sequence[Trial]) -> dict[str, Any]:
    """Scores, 0 to 1: how many real clips match what is known of them, and how many faulty ones are rejected."""
    verdicts = judge.classify(np.stack([test.inputs for test in tests]))
    pairs = list(zip(tests, verdicts, strict=True))
    scores: dict[str, Any] = {}
    for source in ("plain", "through_autoencoder"):
        chosen = [(test, verdict) for test, verdict in pairs if test.source == source]
        scores[source] = adherence([all_about(test.piece) for test, _ in chosen], [verdict for _, verdict in chosen])
    scores["rejected"] = {
        fault: {
            str(strength): _rejected(v for test, v in pairs if (test.source, test.strength) == (fault, strength))
            for strength in STRENGTHS
        }
        for fault in FAULTS
    }
    return scores


def _rejected(verdicts: Iterable[Verdict]) -> float:
    """The share of the verdicts that reject the lead."""
    return float(np.mean([verdict.rejected for verdict in verdicts]))
