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

    def spans(self, name: str = "", of: str = "") -> list[SeenSpan]:
        """Those so far, by their beginnings: of a name and a job, or of any."""
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        spans = [SeenSpan(**json.loads(line)) for line in lines]
        found = (
            span for span in spans if name in ("", span.name) and of in ("", span.attributes.get("riffusion.job.id"))
        )
        return sorted(found, key=lambda span: span.began)

    def wait_for(self, name: str, count: int = 1, of: str = "", timeout: float = 30) -> list[SeenSpan]:
        """The same, once there are so many."""
        wait_until(lambda: len(self.spans(name, of)) >= count, timeout, f"no {name} in {self.spans()}")
        return self.spans(name, of)

    def wait_for_trace(self, trace: str) -> list[SeenSpan]:
        """The spans of a trace, once one is there."""
        wait_until(lambda: any(span.trace == trace for span in self.spans()), 30, f"no span of {trace}")
        return [span for span in self.spans() if span.trace == trace]


@contextmanager
def collecting(folder: Path, *arguments: str) -> Iterator[Collector]:
    """A collector on a free port; with `hang` it never responds."""
    port, file = free_port(), folder / "spans.jsonl"
    command = [sys.executable, "-m", "tests.otlp_receiver", str(port), str(file), *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"READY\n"
        try:
            yield Collector(f"http://127.0.0.1:{port}", file)
        finally:
            process.kill()
