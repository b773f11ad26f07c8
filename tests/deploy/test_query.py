"""The query of the chart's ScaledObject, evaluated by Prometheus' own engine; without it, this skips."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.conftest import of_kind, render

PROMTOOL = shutil.which("promtool")  # of Debian's package prometheus


@pytest.mark.skipif(PROMTOOL is None, reason="needs promtool: apt-get install prometheus")
@pytest.mark.parametrize(
    ("waiting_work_s", "running", "workers"),
    [(60, 32, 5.0), (0, 0, 0.0), (0, 40, 2.5), (None, 32, None), (60, None, None)],
)
def test_workers_that_there_is_work_for(
    tmp_path: Path, waiting_work_s: int | None, running: int | None, workers: float | None
) -> None:
    (scaled,) = of_kind(render("managed"), "ScaledObject")
    values = {"riffusion_waiting_work_seconds": waiting_work_s, "riffusion_running_jobs": running}
    # Each pod of the API exports the same queues; another model's and another installation's don't count.
    series = [
        {"series": f'{name}{{model="{model}", namespace="{namespace}", pod="{pod}"}}', "values": f"{value}x9"}
        for name, number in values.items()
        if number is not None
        for model, namespace, value in (
            ("Org/Large_1.5", "music", number), ("small", "music", 999), ("Org/Large_1.5", "staging", 999),
        )
        for pod in ("one", "two")
    ]  # fmt: skip
    samples = [] if workers is None else [{"labels": "{}", "value": workers}]  # without data, no number either
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]
    test = {
        "interval": "15s",
        "input_series": series,
        "promql_expr_test": [{"expr": query, "eval_time": "1m", "exp_samples": samples}],
    }
    file = tmp_path / "test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    assert PROMTOOL
    ran = subprocess.run([PROMTOOL, "test", "rules", file], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
