"""The files of deploy/prometheus and deploy/grafana by themselves: their own tests, and what they refer to."""

import json
import re
import subprocess
from typing import Any

import yaml

from tests.monitoring.prometheus import DASHBOARD, DEPLOYED, PROMTOOL, ROOT, alerts, needs_prometheus
from tests.monitoring.test_table import TABLE

RUNBOOK = ROOT / "docs" / "runbook.md"
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def panels() -> list[dict[str, Any]]:
    loaded = json.loads(DASHBOARD.read_text())
    return [panel for panel in loaded["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """All of rules and dashboard."""
    return [rule["expr"] for rule in alerts()] + [target["expr"] for panel in panels() for target in panel["targets"]]


@needs_prometheus
def test_promtool_takes_the_files_and_the_rules_pass_their_tests() -> None:
    assert PROMTOOL is not None
    for arguments in (("check", "config", "prometheus.yml"), ("test", "rules", "rules_test.yml")):
        ran = subprocess.run([PROMTOOL, *arguments], cwd=DEPLOYED, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


def test_each_alert_is_tested_to_fire() -> None:
    tests = yaml.safe_load((DEPLOYED / "rules_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test.get("alert_rule_test", []) if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in alerts()}


def test_each_alert_has_its_paragraph_in_the_runbook() -> None:
    headings = re.findall(r"^## (Riffusion\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_rules_and_dashboard_name_metrics_that_exist() -> None:
    known = set(re.findall(r"^\| `(riffusion_\w+)`", TABLE.read_text(), re.MULTILINE))
    used = {SUFFIXES.sub("", name) for text in expressions() for name in re.findall(r"riffusion_\w+", text)}
    assert used <= known


def test_the_dashboard_shows_every_metric_of_the_table() -> None:
    known = set(re.findall(r"^\| `(riffusion_\w+)`", TABLE.read_text(), re.MULTILINE))
    shown = {SUFFIXES.sub("", name) for text in expressions() for name in re.findall(r"riffusion_\w+", text)}
    assert known <= shown


def test_panels_lie_side_by_side_in_the_grid() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not taken & cells, panel["title"]
        taken |= cells
