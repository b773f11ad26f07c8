"""A Redis in cluster mode is refused by everything that starts on it, in one sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ValkeyServer


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer.start(tmp_path_factory.mktemp("cluster"), "--cluster-enabled", "yes")
    yield server
    server.kill()


@pytest.mark.parametrize("command", ["riffusion api --port 0", "riffusion keys list", "tests.faults.worker"])
def test_a_cluster_is_refused_at_the_start(cluster: ValkeyServer, command: str, tmp_path: Path) -> None:
    env = {**os.environ, "RIFFUSION_REDIS_URL": cluster.url, "RIFFUSION_DATA_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", *command.split()], env=env, capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ended.returncode != 0
    assert "is in cluster mode" in ended.stdout + ended.stderr
