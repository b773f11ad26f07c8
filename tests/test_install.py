"""The package as users install it: `pip install .` without extras, into an environment of its own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = [init.parent.name for init in ROOT.glob("*/__init__.py")]
MOST_BYTES = 50_000_000


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with what a client needs, in the locked versions. Takes some ten seconds."""
    folder = tmp_path_factory.mktemp("install")
    source, environment = folder / "source", folder / "environment"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    uv = Path(sys.executable).parent / "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    target: list[str | Path] = ["--python", environment / "bin" / "python"]
    subprocess.run([uv, "pip", "install", "--quiet", *target, "-c", ROOT / "locks" / "api.txt", source], check=True)
    return environment


def run(environment: Path, *command: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    program = environment / "bin" / command[0]
    return subprocess.run(
        [program, *command[1:]], capture_output=True, text=True, check=False, env=env, cwd=environment
    )


def test_a_client_is_small(environment: Path) -> None:
    folder = next(environment.glob("lib/*/site-packages"))
    assert not {path.name for path in folder.iterdir()} & {"torch", "numpy", "flask", "celery", "redis", "boto3", "PIL"}
    assert sum(path.lstat().st_size for path in folder.rglob("*")) < MOST_BYTES


def test_a_client_can_submit(environment: Path) -> None:
    done = run(environment, "python", "-c", "from riffusion.client import Client; Client('http://127.0.0.1:1').close()")
    assert done.returncode == 0, done.stderr
    shown = run(environment, "riffusion", "submit", "--help")
    assert shown.returncode == 0, shown.stderr
    assert "--url" in shown.stdout


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["generate", "bells", "-o", "bells.mp3"], "worker"),
        (["worker"], "worker"),
        (["up"], "embedded"),
        (["demo"], "embedded"),
        (["api"], "api"),
        (["keys", "list"], "api"),
        (["discord"], "discord"),
        (["mcp"], "mcp"),
        (["train", "tiny"], "train"),
    ],
)
def test_other_commands_name_the_extra_that_they_need(environment: Path, command: list[str], extra: str) -> None:
    done = run(environment, "riffusion", *command)
    assert done.returncode == 1
    assert f"pip install '.[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr
