"""The judge's scores of the student over time, beside the teacher's: a JSON-lines file and a table."""

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

from riffusion.training.data.captions import Stated, write_caption
from riffusion.training.data.clip_pictures import Pictures
from riffusion.training.data.composed_set import ComposedSet
from riffusion.training.data.whole_file import whole_file
from riffusion.training.evaluation.adherence import MEASURES, adherence
from riffusion.training.evaluation.judge import Judge

TEACHER = "teacher"


class Judgement:
    """Judges clips of held-out captions."""

    def __init__(self, count: int, folder: Path) -> None:
        """
        Args:
            count: captions.
            folder: for `judge.jsonl` and `judge.md`.
        """
        clips = ComposedSet(Path(), "held-out", count)
        written = [write_caption(clips.piece(n), clips.caption_rng(n)) for n in range(count)]
        self.captions: Sequence[str] = [caption for caption, _ in written]
        self._stated: Sequence[Stated] = [stated for _, stated in written]
        self._rows, self._table = folder / "judge.jsonl", folder / "judge.md"

    @cached_property
    def _judge(self) -> Judge:
        return Judge.load()

    def judge(self, name: str, make: Callable[[], Pictures]) -> None:
        """Adds a row of this name, unless it is there: the shares of clips [N, 512, 512] that match their captions."""
        rows = [json.loads(line) for line in self._rows.read_text().splitlines()] if self._rows.exists() else []
        if any(row["name"] == name for row in rows):
            return
        scores = adherence(self._stated, self._judge.verdicts(make()))
        rows.append({"name": name, **{measure: round(score, 4) for measure, score in scores.items()}})
        with whole_file(self._rows) as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
        head = ["| | " + " | ".join(MEASURES) + " |", "|---" * (1 + len(MEASURES)) + "|"]
        lines = [f"| {row['name']} | " + " | ".join(f"{row[each]:.1%}" for each in MEASURES) + " |" for row in rows]
        self._table.write_text("\n".join([*head, *lines]) + "\n")
