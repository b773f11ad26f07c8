"""What bench/clip.py does beside making clips: the stages' times, and what is lost."""

import processor_time
import pytest
from clip import loss

from riffusion.training.data.captions import Stated
from riffusion.training.evaluation.judge import Verdict


class Work:
    """Some work, and work within it; the clock below says how long each took."""

    def whole(self) -> str:
        Work.clock += 1.0
        self.part()
        Work.clock += 2.0
        return "made"

    def part(self) -> None:
        Work.clock += 10.0

    clock = 0.0


def test_a_stage_within_another_counts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor_time, "processor_s", lambda: Work.clock)
    stages = processor_time.Stages()
    with stages.measured({"whole": [(Work, "whole")], "part": [(Work, "part")]}):
        Work.clock += 100.0
        assert Work().whole() == "made"
        Work().part()
    assert stages.seconds == {"rest": 100.0, "whole": 3.0, "part": 20.0}
    Work().part()
    assert stages.seconds["part"] == 20.0


def test_what_is_lost_counts_only_what_captions_state() -> None:
    facts = [Stated("solo", lead="piano", bpm=100.0), Stated("solo", bpm=100.0)]
    right, wrong = Verdict("solo", "piano", 100.0), Verdict("solo", "flute", 80.0)
    assert loss("lead", facts, [right, right], [wrong, right]) == (100.0, 0.0)
    points, error = loss("tempo", facts, [right, right], [wrong, right])
    assert points == 50.0
    assert error == pytest.approx(50 / 2**0.5)
    assert loss("kind", facts, [wrong, wrong], [right, right]) == (0.0, 0.0)
