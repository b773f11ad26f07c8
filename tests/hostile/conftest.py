"""The API on a real Valkey, as in its own tests, and a process that measures the probing of files."""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import PROBLEM, Client, _live, app, client, link, live, services, settings, stranger, worker

__all__ = ["_live", "app", "client", "link", "live", "services", "settings", "stranger", "worker"]

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Probe:
    """The result and the cost of probing one file. The two figures of memory are maxima so far."""

    code: str
    cpu_s: float
    child_kib: int
    own_kib: int


ProbeFiles = Callable[[str, Mapping[str, bytes]], dict[str, Probe]]


@pytest.fixture
def probe_files(tmp_path: Path) -> ProbeFiles:
    """Probes files, one after another, in a process that reports what each one took."""

    def probe(kind: str, files: Mapping[str, bytes]) -> dict[str, Probe]:
        names = dict(zip((f"{number:04}" for number in range(len(files))), files, strict=True))
        paths = [tmp_path / name for name in names]
        for path in paths:
            path.write_bytes(files[names[path.name]])
        spool = tmp_path / "spool"
        spool.mkdir()
        run = subprocess.run(
            [sys.executable, "-m", "tests.hostile.measured_probe", kind, *map(str, paths)],
            capture_output=True, text=True, check=False, cwd=ROOT, timeout=280,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "TMPDIR": str(spool)},
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        assert not list(spool.iterdir())
        found: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]
        return {names[each.pop("name")]: Probe(**each) for each in found}

    return probe


@pytest.fixture
def refuses(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, str], None]:
    """Uploads a file under a name, which must be refused and leave no temporary file."""

    def upload(data: bytes, name: str) -> None:
        spool = tmp_path / "spool"
        spool.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(spool))
        response = client.post("/uploads", data={"file": (io.BytesIO(data), name)})
        assert (response.status_code, response.content_type) == (422, PROBLEM)
        assert response.json["code"] == "unreadable_media"
        assert str(tmp_path) not in response.text
        assert not list(spool.iterdir())

    return upload
