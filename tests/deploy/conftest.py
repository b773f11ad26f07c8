"""The chart, rendered by the real Helm with each file of values."""

import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
CHART = KUBERNETES / "riffusion"
VALUES = {path.stem: path for path in sorted((Path(__file__).parent / "values").glob("*.yaml"))} | {
    "example": KUBERNETES / "example" / "values.yaml"
}

Manifest = dict[str, Any]
Rendered = list[Manifest]


def helm(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs it."""
    program = run_path(str(ROOT / "tools" / "helm.py"))["helm"]()
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


@cache
def render(name: str, *options: str) -> Rendered:
    """What the chart is with the file of values of this name."""
    ran = helm("template", "release", CHART, "--values", VALUES[name], *options)
    assert ran.returncode == 0, ran.stderr
    return [manifest for manifest in yaml.safe_load_all(ran.stdout) if manifest]


@pytest.fixture(params=VALUES)
def rendered(request: pytest.FixtureRequest) -> Rendered:
    """The chart, with each file of values in turn."""
    return render(request.param)


def of_kind(rendered: Rendered, kind: str) -> Iterator[Manifest]:
    """The objects of a kind."""
    return (manifest for manifest in rendered if manifest["kind"] == kind)


def named(rendered: Rendered, kind: str, name: str) -> Manifest:
    """The object of this kind and name."""
    return next(manifest for manifest in of_kind(rendered, kind) if manifest["metadata"]["name"] == name)


def pods(rendered: Rendered, where: Callable[[Manifest], bool] = lambda _: True) -> dict[str, Manifest]:
    """The pods' specifications, by the names of their Deployments or StatefulSets."""
    return {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
        for manifest in rendered
        if manifest["kind"] in ("Deployment", "StatefulSet") and where(manifest)
    }


def workers(rendered: Rendered) -> dict[str, Manifest]:
    """The workers' pods."""
    return pods(rendered, lambda manifest: "-worker-" in manifest["metadata"]["name"])


def env(rendered: Rendered, pod: Manifest) -> dict[str, str]:
    """The plain variables of a pod's only container, those of its ConfigMap included."""
    (container,) = pod["containers"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= named(rendered, "ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {item["name"]: item["value"] for item in container.get("env", []) if "value" in item}
