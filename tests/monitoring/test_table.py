"""docs/metrics.md has exactly the metrics that API and worker export."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client import REGISTRY, Metric
from redis import Redis

import riffusion.diffusion.metrics  # noqa: F401 -- this one and the next register a worker's metrics
import worker.metrics  # noqa: F401
from api.metrics import Metrics
from api.statistics_collector import StatisticsCollector
from riffusion.jobs.store import JobStore
from tests.jobs.conftest import submit

TABLE = Path(__file__).parents[2] / "docs" / "metrics.md"
_ROW = re.compile(r"^\| `(riffusion_\w+)` \| (\w+) \|(.*?)\| (.*?) \|$", re.MULTILINE)
_OWN = {"le", "quantile"}  # labels of histograms and summaries themselves


class Entry(NamedTuple):
    """A metric as the table describes it."""

    name: str
    type: str
    text: str


def entries(metrics: Iterable[Metric]) -> Iterator[Entry]:
    for metric in metrics:
        if metric.name.startswith("riffusion_"):
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            yield Entry(name, metric.type, metric.documentation)


@pytest.fixture
def exported(store: JobStore, redis: Redis) -> Iterator[list[Metric]]:
    submit(store)
    redis.config_set("maxmemory", 1 << 30)
    yield [*Metrics().registry.collect(), *StatisticsCollector(store).collect(), *REGISTRY.collect()]
    redis.config_set("maxmemory", 0)


def test_the_table_has_what_is_exported(exported: list[Metric]) -> None:
    table = {Entry(name, kind, text) for name, kind, _, text in _ROW.findall(TABLE.read_text())}
    assert table == set(entries(exported))


def test_the_table_has_the_labels(exported: list[Metric]) -> None:
    table = {name: set(re.findall(r"`(\w+)`", labels)) for name, _, labels, _ in _ROW.findall(TABLE.read_text())}
    for metric in exported:
        name = f"{metric.name}_total" if metric.type == "counter" else metric.name
        for sample in metric.samples if name in table else ():
            assert sample.labels.keys() - _OWN == table[name], name
