"""The package `replicate` from npm, on node."""

import subprocess
import sys
from pathlib import Path

from tests.api.conftest import LiveServer


def test_it_works_with_another_base_url(busy: LiveServer) -> None:
    node, script = Path(sys.executable).parent / "node", Path(__file__).with_name("package.mjs")
    ran = subprocess.run([node, script, f"{busy.url}/v1"], capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stdout) == (0, "ok\n"), ran.stderr
