"""What a worker's metrics say after a clip was made."""

from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY

from riffusion.diffusion.checkpoint import Checkpoint
from riffusion.generate import Generator, NoControl
from riffusion.requests import parse, with_seed
from riffusion.settings import Settings


class Watching(NoControl):
    """Takes previews."""

    wants_previews = True


@pytest.fixture(scope="module")
def generator(checkpoint: Checkpoint) -> Iterator[Generator]:
    with Generator(checkpoint, Settings(max_batch=4)) as generator:
        yield generator


class Increases:
    """By how much samples of the metrics have increased."""

    def __init__(self) -> None:
        self._before = self._values()

    def of(self, name: str, **labels: str) -> float:
        key = f"riffusion_worker_{name}", tuple(sorted(labels.items()))
        return self._values()[key] - self._before.get(key, 0)

    @staticmethod
    def _values() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
        return {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}


def test_calls_stages_prompts_and_previews_are_counted(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("riffusion.generate.previews.INTERVAL_S", 0)
    monkeypatch.setattr("riffusion.generate.previews.COST_SHARE", 1e9)
    fields = {"mode": "text-to-audio", "prompt": "jazz for the metrics", "seed": 1, "steps": 5, "width": 128}
    increases = Increases()
    for _ in range(2):
        generator.run(with_seed(parse(fields)), {}, Watching())
    calls = increases.of("batch_rows_count")
    assert calls >= 2 * 5
    assert increases.of("batch_rows_sum") == calls
    assert increases.of("batch_occupancy_ratio_sum") == calls / 4
    for stage in ("prompt", "denoise", "decode", "sound"):
        assert increases.of("stage_seconds_count", stage=stage) == 2, stage
    assert 0 < increases.of("stage_seconds_sum", stage="denoise") < 60
    assert increases.of("prompts_total", cache="miss") <= 2 < increases.of("prompts_total", cache="hit")
    assert increases.of("previews_total") >= 2
