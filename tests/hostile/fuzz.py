"""Generated requests against a running server: `python -m tests.hostile.fuzz --requests 10000` (`make fuzz`).

schemathesis generates what the OpenAPI document describes, valid, invalid and in sequences; Hypothesis generates any
other method, path, header and body, down to the bytes. Prints a line of JSON, and exits with 1 if a response was an
undocumented 5xx, had an undocumented form, or revealed internals of the server.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import httpx

from riffusion.embedded.child import kill
from tests.api.conftest import LiveServer, serve
from tests.api.described_requests import send_described_requests, working
from tests.conftest import ValkeyServer
from tests.hostile.random_requests import send_random_requests

ROOT = Path(__file__).parents[2]
HOOKS = {"SCHEMATHESIS_HOOKS": "tests.hostile.leaks", "PYTHONPATH": str(ROOT)}
_REQUESTS = re.compile(r'^riffusion_http_requests_total\{.*status="(\d+)".*\} ([0-9.e+]+)$', re.MULTILINE)


def responses(server: LiveServer) -> Counter[str]:
    """Responses so far, by status."""
    found: Counter[str] = Counter()
    for status, count in _REQUESTS.findall(httpx.get(f"{server.url}/metrics", timeout=60).text):
        found[status] += int(float(count))
    return found


def main() -> int:
    """Sends the requests and prints the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--examples", type=int, default=40, help="of schemathesis, an operation and phase")
    args = parser.parse_args()
    began, faults = time.monotonic(), 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        valkey = ValkeyServer.start(folder)
        try:
            with serve(valkey, folder, connections=500) as server, working(server.worker()):
                violations = send_random_requests(server.url, args.requests // 4)
                faults += len(violations)
                print(*violations, sep="\n")
                seed = 0
                while responses(server).total() < args.requests:
                    seed += 1
                    run = send_described_requests(server, folder, examples=args.examples, seed=seed, env=HOOKS)
                    faults += run.returncode != 0
                    if run.returncode:
                        print(run.stdout)
                    print(f"after seed {seed}: {responses(server).total()} requests", flush=True)
                found = responses(server)
        finally:
            kill(valkey.process)
    figures = {
        "requests": found.total(), "faults": faults, "by_status": dict(sorted(found.items())),
        "undocumented_5xx": sum(count for status, count in found.items() if status[0] == "5" and status != "503"),
        "seconds": round(time.monotonic() - began), "date": f"{datetime.now(UTC):%Y-%m-%d}",
    }  # fmt: skip
    print(json.dumps(figures))
    return int(faults > 0 or figures["undocumented_5xx"] != 0)


if __name__ == "__main__":
    sys.exit(main())
