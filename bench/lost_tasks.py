"""How many tasks plain Celery loses when its workers are killed: the stream and the kills of tests/faults, fault 2.

    python bench/lost_tasks.py [--kills 25]

Three workers of bench/celery_baseline.py, with Celery's own defaults, run tasks that do nothing; two threads submit one
every tenth of a second each. Again and again the eldest worker gets SIGKILL and a new one is started. A task that has
no result 20 s after the last kill is lost. It is chance, so the figure is printed and nothing is asserted. The last
line is JSON.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from riffusion.embedded.child import Process, kill, spawn, stop
from riffusion.embedded.valkey import Valkey

HERE = Path(__file__).parent
WORKERS = 3
SETTLES_S = 20.0
STARTS_S = 60.0


def start(folder: Path, number: int) -> tuple[Process, Path]:
    """A worker, and the log in which it reports that it is ready."""
    log = folder / f"worker{number}.log"
    command = [
        "-A",
        "celery_baseline:tasks",
        "worker",
        "--pool",
        "threads",
        "--concurrency",
        "4",
        "-n",
        f"w{number}",
        "-l",
        "info",
    ]
    output: IO[bytes]
    with log.open("ab") as output:
        return spawn([sys.executable, "-m", "celery", *command], env=os.environ, output=output), log


def wait_for(log: Path) -> None:
    """Waits until the worker accepts tasks."""
    deadline = time.monotonic() + STARTS_S
    while " ready." not in log.read_text():
        if time.monotonic() > deadline:
            raise TimeoutError(log.read_text())
        time.sleep(0.05)


def stream(task: Any, over: threading.Event) -> list[Any]:
    """Submits tasks until the end, and returns their results."""
    sent = []
    while not over.wait(0.1):
        sent.append(task.delay({}))
    return sent


def main() -> None:
    """Counts, and prints a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=25)
    kills = parser.parse_args().kills
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        valkey = Valkey(folder / "redis")
        log = running.enter_context((folder / "log").open("ab"))
        running.callback(stop, valkey.start(output=log), 10)
        while not valkey.serves():
            time.sleep(0.1)
        os.environ |= {"PYTHONPATH": f"{HERE}:{HERE.parent}", "RIFFUSION_REDIS_URL": valkey.url}
        from celery_baseline import nothing

        workers = [start(folder, number) for number in range(WORKERS)]
        over = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(stream, nothing, over) for _ in range(2)]
            try:
                for number in range(kills):
                    wait_for(workers[0][1])
                    wait_for(workers[1][1])
                    kill(workers.pop(0)[0])
                    workers.append(start(folder, WORKERS + number))
            finally:
                over.set()
        results = [result for each in sent for result in each.result()]
        submitted = len(results)
        time.sleep(SETTLES_S)
        lost = sum(not result.successful() for result in results)
        # Results unsubscribe from Redis, so it must still be running.
        results.clear()
        sent.clear()
        for process, _ in workers:
            kill(process)
    print(json.dumps({"kills": kills, "submitted": submitted, "lost": lost}))


if __name__ == "__main__":
    main()
