"""Types hold in users' own programs: in Pyright, and in mypy without pydantic's plugin."""

import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent


def expected() -> dict[int, str]:
    """Line number: a word of the error that its comment announces."""
    lines = enumerate((HERE / "user.py").read_text().splitlines(), 1)
    return {number: line.partition("# error: ")[2] for number, line in lines if "# error: " in line}


def check(found: dict[int, str]) -> None:
    assert found.keys() == expected().keys(), found
    for number, word in expected().items():
        assert word in found[number]


def test_pyright_accepts_what_is_right_and_finds_what_is_wrong() -> None:
    command: list[str | Path] = [
        BIN / "basedpyright",
        "--outputjson",
        "--pythonpath",
        sys.executable,
        "-p",
        HERE / "pyrightconfig.json",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    errors = json.loads(shown.stdout)["generalDiagnostics"]
    check({error["range"]["start"]["line"] + 1: error["message"] for error in errors if error["severity"] == "error"})


def test_mypy_without_the_plugin_accepts_what_is_right_and_finds_what_is_wrong(tmp_path: Path) -> None:
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path}", "--no-error-summary"]
    command: list[str | Path] = [BIN / "mypy", *options, HERE / "user.py"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300).stdout
    found = re.findall(r"^tests/typing/user\.py:(\d+): error: (.*)$", shown, re.MULTILINE)
    check({int(number): message for number, message in found})
