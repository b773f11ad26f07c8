"""How long the API takes to start: importing it and creating the app, in fresh interpreters.

    python bench/api_startup.py [runs]

The last line is JSON: `wall_s` and `cpu_s` are medians, `modules` is how many were imported.
"""

import json
import statistics
import subprocess
import sys

PROGRAM = """
import time
wall, cpu = time.perf_counter(), time.process_time()
from api.app import create_app
from riffusion.settings import Settings
create_app(Settings())
import sys
print(time.perf_counter() - wall, time.process_time() - cpu, len(sys.modules))
"""


def main(runs: int) -> None:
    """Starts the API `runs` times, one after the other, and prints each and the medians."""
    measured: list[list[float]] = []
    for run in range(runs + 1):
        output = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout
        wall, cpu, modules = (float(part) for part in output.split())
        if run:  # the first one fills the disk cache and writes bytecode
            measured.append([wall, cpu, modules])
            print(f"{wall:.3f} s ({cpu:.3f} s of CPU)")
    wall, cpu, modules = (statistics.median(column) for column in zip(*measured, strict=True))
    print(json.dumps({"wall_s": round(wall, 3), "cpu_s": round(cpu, 3), "modules": int(modules)}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
