"""The API on a real Valkey, as its own tests have it, and files written down to be looked at under watch."""

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
class Look:
    """What looking at one file took. The memory of children and of the looking process only ever grows."""

    code: str
    cpu_s: float
    child_kib: int
    own_kib: int


Watch = Callable[[str, Mapping[str, bytes]], dict[str, Look]]


@pytest.fixture
def watch(tmp_path: Path) -> Watch:
    """Has files looked at, one after another, in a process that tells what each one took."""

    def look(kind: str, files: Mapping[str, bytes]) -> dict[str, Look]:
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
        return {names[each.pop("name")]: Look(**each) for each in found}

    return look


@pytest.fixture
def refuses(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, str], None]:
    """Uploads a file by a name, which must be a problem and leave no file behind."""

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
