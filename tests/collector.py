"""A collector for traces, as a process of its own: see otlp_receiver.py."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import free_port, wait_until

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class SeenSpan:
    """A span as the collector received it. Times are Unix seconds."""

    trace: str
    id: str
    parent: str
    name: str
    kind: str
    began: float
    ended: float
    attributes: dict[str, Any]
    links: list[list[str]]
    """Trace and span of each."""
    state: str
    failed: bool
    service: str


@dataclass(frozen=True)
class Collector:
    """The running process, and what it has received."""

    url: str
    file: Path

    def spans(self, name: str = "") -> list[SeenSpan]:
        """All of a name so far, or of any, by their beginnings."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        spans = [SeenSpan(**json.loads(line)) for line in lines]
        return sorted((span for span in spans if name in ("", span.name)), key=lambda span: span.began)

    def wait_for(self, name: str, count: int = 1, timeout: float = 30) -> list[SeenSpan]:
        """The spans of a name, once so many are there."""
        wait_until(lambda: len(self.spans(name)) >= count, timeout, f"no {name} in {[s.name for s in self.spans()]}")
        return self.spans(name)


@contextmanager
def collecting(folder: Path, *arguments: str) -> Iterator[Collector]:
    """A collector on a free port; with `hang` it never responds."""
    port, file = free_port(), folder / "spans.jsonl"
    command = [sys.executable, "-m", "tests.otlp_receiver", str(port), str(file), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        yield Collector(f"http://127.0.0.1:{port}", file)
        process.kill()
