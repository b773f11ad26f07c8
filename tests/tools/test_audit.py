"""The audit fails for what is vulnerable, and says so when nothing could be looked up."""

import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

main = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "audit.py"))["main"]
SOUND = {"name": "flask", "version": "3.1.3", "vulns": []}
BAD = {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.0"]}]}
UNKNOWN = {"name": "celery", "skip_reason": "not found"}


def program(tmp_path: Path, *dependencies: Any, text: str | None = None, status: int = 0) -> Sequence[str]:
    """A program that says what pip-audit would."""
    output = json.dumps({"dependencies": dependencies}) if text is None else text
    script = tmp_path / "pip_audit.py"
    script.write_text(f"import sys; print({output!r}); print('no route to host', file=sys.stderr); sys.exit({status})")
    return sys.executable, str(script)


@pytest.mark.parametrize(
    ("dependencies", "status", "words"),
    [
        ([SOUND, UNKNOWN], 0, "0 known vulnerabilities in 1 of 2"),
        ([SOUND, BAD], 1, "PYSEC-1, fixed in 2.0"),
        ([UNKNOWN, BAD], 1, "1 known vulnerabilities in 1 of 2"),
        ([UNKNOWN, UNKNOWN], 0, "SKIPPED, nothing was looked up (pypi has none of the 2"),
    ],
)
def test_what_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dependencies: list[Any], status: int, words: str
) -> None:
    assert main(tmp_path / "lock", program(tmp_path, *dependencies, status=int(BAD in dependencies))) == status
    assert words in capsys.readouterr().out


def test_without_a_database_it_is_skipped_with_the_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(tmp_path / "lock", program(tmp_path, text="", status=1)) == 0
    assert "SKIPPED, nothing was looked up (pypi: no route to host; osv: no route to host)" in capsys.readouterr().out
