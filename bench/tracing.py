"""What tracing costs in processor time, off and on: `make bench-tracing`.

- import: what switching it on imports, milliseconds
- post: `POST /jobs` through the app on a valkey-server of its own, without HTTP, microseconds each
- span: one span around nothing, microseconds; 15 of them are made of a clip by its worker

On includes the thread that sends spans to a collector, another process (`tests/otlp_receiver.py`). Off and on take
turns, each time in a fresh process. The last line is JSON: medians.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROUNDS, POSTS, SPANS = 5, 1500, 20_000
BODY = {"mode": "text-to-audio", "prompt": "funk bassline"}


def measure(redis_url: str, data_dir: str, collector: str) -> dict[str, float]:
    """The figures of this process; with no collector, those without tracing."""
    from api.app import create_app
    from riffusion import tracing
    from riffusion.settings import Settings

    settings = Settings(
        redis_url=redis_url, data_dir=Path(data_dir), otlp_endpoint=collector or None, max_queued=10**6,
        anonymous_creates_per_minute=0, anonymous_jobs_in_flight=0, anonymous_jobs_kept=0, anonymous_request_bytes=0,
        anonymous_stored_bytes=0,
    )  # fmt: skip
    client = create_app(settings).test_client()
    began = time.process_time()
    tracing.configure(settings, "bench")
    figures = {"import_ms": 1e3 * (time.process_time() - began)}
    for count in (100, POSTS):
        began = time.process_time()
        for _ in range(count):
            assert client.post("/jobs", json=BODY).status_code == 202
        figures["post_us"] = 1e6 * (time.process_time() - began) / count
    began = time.process_time()
    for _ in range(SPANS):
        with tracing.span("nothing", {"riffusion.steps": 1}):
            pass
    figures["span_us"] = 1e6 * (time.process_time() - began) / SPANS
    return figures


def main() -> None:
    """Runs the rounds and prints their medians."""
    from riffusion.embedded.child import stop
    from riffusion.embedded.valkey import Valkey
    from tests.collector import collecting

    found: dict[str, list[dict[str, float]]] = {"off": [], "on": []}
    with tempfile.TemporaryDirectory() as name, collecting(Path(name)) as collector:
        valkey = Valkey(Path(name) / "redis")
        with (Path(name) / "log").open("ab") as log:
            redis = valkey.start(output=log)
        while not valkey.serves():
            time.sleep(0.05)
        for _ in range(ROUNDS):
            for state, url in (("off", ""), ("on", collector.url)):
                command = [sys.executable, __file__, valkey.url, name, url]
                output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
                found[state].append(json.loads(output))
                print(state, output.strip())
        stop(redis, grace_s=10)
    names = found["off"][0]
    medians = {
        state: {each: round(statistics.median(run[each] for run in runs), 2) for each in names}
        for state, runs in found.items()
    }
    print(json.dumps(medians))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(*sys.argv[1:4])))
    else:
        main()
