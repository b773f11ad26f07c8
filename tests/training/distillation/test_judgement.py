"""The judge's table over time."""

import json
from pathlib import Path

import numpy as np
import pytest

from riffusion.training.data.clip_pictures import Pictures
from riffusion.training.distillation.judgement import TEACHER, Judgement
from riffusion.training.evaluation.judge import Verdict


class Judge:
    """Finds drums in white pictures, and a piano in others."""

    def verdicts(self, pictures: Pictures) -> list[Verdict]:
        return [Verdict("drums", None, 100) if each.all() else Verdict("solo", "piano", 100) for each in pictures]


def test_each_name_has_one_row_beside_the_teachers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.training.distillation.judgement.Judge.load", Judge)
    for name, white in ((TEACHER, 0), ("step 4", 255), (TEACHER, 255)):
        judgement = Judgement(12, tmp_path)
        assert len(judgement.captions) == 12
        judgement.judge(name, lambda white=white: np.full((12, 512, 512), white, np.uint8))  # type: ignore[misc]
    rows = [json.loads(line) for line in (tmp_path / "judge.jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == [TEACHER, "step 4"]
    assert rows[0]["drums_tonal"] != rows[1]["drums_tonal"]
    head, _, teacher, step = (tmp_path / "judge.md").read_text().splitlines()
    assert head.count("|") == teacher.count("|") == step.count("|")
    assert f"{rows[1]['kind']:.1%}" in step
