"""Debian's Prometheus, with the rules of deploy/prometheus at a pace for tests."""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from riffusion.embedded.child import spawn, stop
from tests.conftest import free_port, wait_until

ROOT = Path(__file__).parents[2]
DEPLOYED = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "riffusion.json"
PROMETHEUS, PROMTOOL = shutil.which("prometheus"), shutil.which("promtool")
WINDOW = "10s"  # instead of minutes
SCRAPE = "2s"  # longer than the API waits for a Redis that hangs

needs_prometheus = pytest.mark.skipif(
    PROMETHEUS is None or PROMTOOL is None, reason="prometheus is missing; `apt-get install prometheus`"
)


def alerts() -> list[dict[str, Any]]:
    """The alerts of rules.yml."""
    loaded = yaml.safe_load((DEPLOYED / "rules.yml").read_text())
    rules: list[dict[str, Any]] = [rule for group in loaded["groups"] for rule in group["rules"]]
    return rules


def quick(expression: str) -> str:
    """An expression over seconds instead of minutes."""
    return re.sub(r"\[(\d+m|\$__rate_interval)\]", f"[{WINDOW}]", expression)


@dataclass
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant vector."""
        response = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30)
        assert response.is_success, response.text
        result: list[dict[str, Any]] = response.json()["data"]["result"]
        return result

    def firing(self) -> set[str]:
        """The names of the alerts that fire."""
        return {sample["metric"]["alertname"] for sample in self.query('ALERTS{alertstate="firing"}')}


@contextmanager
def scraping(folder: Path, targets: Mapping[str, list[str]]) -> Iterator[Prometheus]:
    """A server that scrapes every other second. The alerts have no `for`, and windows of seconds.

    Args:
        targets: of each job, HOST:PORT.
    """
    assert PROMETHEUS is not None
    rules = [{key: quick(value) if key == "expr" else value for key, value in rule.items()} for rule in alerts()]
    for rule in rules:
        rule.pop("for", None)
    config = {
        "global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE, "evaluation_interval": "500ms"},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": job, "static_configs": [{"targets": each}]} for job, each in targets.items()],
    }
    folder.mkdir()
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "quick", "rules": rules}]}))
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    options = (f"--web.listen-address={address}", f"--config.file={folder}/prometheus.yml")
    with (folder / "prometheus.log").open("wb") as log:
        process = spawn([PROMETHEUS, *options, f"--storage.tsdb.path={folder}/data"], env={}, output=log)
    try:
        wait_until(lambda: process.poll() is not None or _ready(address), 60, "Prometheus never got ready")
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        yield Prometheus(f"http://{address}")
    finally:
        stop(process, grace_s=10)


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/-/ready").is_success
    except httpx.TransportError:
        return False
