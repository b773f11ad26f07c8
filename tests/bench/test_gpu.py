"""The GPU's benchmark, run whole on the CPU: its figures mean nothing there, but its code is all run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

PROGRAM = Path(__file__).parents[2] / "bench" / "gpu.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False, env=environment
    )


def test_every_figure_is_there() -> None:
    done = run("--small", "--batches", "1,2", "--steps", "3", "--runs", "1")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert {"its_3_1", "its_3_2", "peak_share_3_2", "peak_tflops", "memory_gib", "decode_ms"} <= set(figures)
    assert all(value >= 0 for key, value in figures.items() if key != "device")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_without_cuda_it_says_so() -> None:
    done = run()
    assert done.returncode == 1
    assert "needs CUDA" in done.stderr
