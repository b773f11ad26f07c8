"""Processor time that starting takes, of each process and its children, in seconds; medians of fresh processes.

    python bench/start.py [runs]

- api: importing the API and creating its app
- worker_ready: `riffusion worker` until it takes jobs, with the bundled model
- image_to_audio, generate: the whole command, for a clip of five seconds
- demo: the whole command: Redis, API and worker started, one clip made, everything stopped

A first run isn't counted: it writes what bytecode is missing and compiles the codec's kernels. The last line is JSON.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from riffusion.embedded.valkey import Valkey
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings

ROOT = Path(__file__).parents[1]
RIFFUSION = (sys.executable, "-m", "riffusion")
SEED_IMAGE = ROOT / "riffusion" / "seeds" / "band.png"
API = "from api.app import create_app; from riffusion.settings import Settings; create_app(Settings())"
GOALS = {"api": 0.8, "worker_ready": 6.0, "image_to_audio": 3.0, "generate": 7.0, "demo": 30.0}
WAIT_S = 300


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(ROOT), "RIFFUSION_DATA_DIR": str(folder), **settings}


def command_cpu_s(command: Sequence[str], folder: Path) -> float:
    """A command's processor time, from its start to its end."""
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=_environment(folder), stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder / "log").read_text()[-2000:]
    return used.ru_utime + used.ru_stime


def worker_cpu_s(folder: Path) -> float:
    """A worker's processor time until it is registered as one that takes jobs."""
    valkey = Valkey(folder / "redis")
    with (folder / "log").open("ab") as log:
        redis = valkey.start(output=log)
        try:
            _wait(valkey.serves)
            store = JobStore.connect(Settings(redis_url=valkey.url, data_dir=folder))
            env = _environment(folder, RIFFUSION_REDIS_URL=valkey.url)
            worker = subprocess.Popen([*RIFFUSION, "worker"], cwd=folder, env=env, stdout=log, stderr=log)
            try:
                _wait(store.models.alive)
                used = psutil.Process(worker.pid).cpu_times()
            finally:
                worker.terminate()
                worker.wait()
        finally:
            redis.terminate()
            redis.wait()
    return used.user + used.system + used.children_user + used.children_system


def _wait(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it doesn't get ready"
        time.sleep(0.02)


def measure(name: str, folder: Path) -> float:
    """One run of one of GOALS."""
    if name == "worker_ready":
        return worker_cpu_s(folder)
    commands: dict[str, Sequence[str]] = {
        "api": (sys.executable, "-c", API),
        "image_to_audio": (*RIFFUSION, "image-to-audio", str(SEED_IMAGE), "clip.mp3"),
        "generate": (*RIFFUSION, "generate", "funk bassline with a jazzy saxophone solo", "-o", "clip.mp3"),
        "demo": (*RIFFUSION, "demo"),
    }
    return command_cpu_s(commands[name], folder)


def main(runs: int) -> None:
    """Measures everything, one after the other, and prints the medians."""
    medians = {}
    for name, goal in GOALS.items():
        measured = []
        for run in range(runs + 1):
            with tempfile.TemporaryDirectory() as folder:
                cpu_s = measure(name, Path(folder))
            if run:
                measured.append(cpu_s)
        medians[name] = round(statistics.median(measured), 2)
        print(
            f"{name:<15} {medians[name]:6.2f} s  ({min(measured):.2f} to {max(measured):.2f}; goal {goal:g})",
            flush=True,
        )
    print(json.dumps(medians))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
