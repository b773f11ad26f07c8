"""Redis' memory for each record: `make bench-records`.

Through the job store on a valkey-server of its own, with the options of the embedded stack: jobs that wait, that have
succeeded, copies, and the longest requests there can be. The last line is JSON, in bytes a record.
"""

import argparse
import json
import secrets
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from riffusion.embedded.child import stop
from riffusion.embedded.valkey import Valkey
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import AudioOutput, ImageOutput, JobOutput, JobRecord, Success
from riffusion.jobs.store import JobStore
from riffusion.jobs.tenants import Tenant
from riffusion.requests import AnyRequest, parse
from riffusion.settings import Settings

GRACE_S = 10.0
AT_ONCE = 16
PROMPT = {"mode": "text-to-audio", "prompt": "funk bassline with a jazzy saxophone solo, 110 bpm"}
LONG = {**PROMPT, "prompt": "ж" * 2000, "negative_prompt": "ж" * 2000}
LONGEST = {**PROMPT, "prompt": "🎷" * 2000, "negative_prompt": "🎷" * 2000}


def accept(store: JobStore, request: AnyRequest, count: int) -> None:
    """Accepts so many jobs of one client."""
    client = Tenant("address:192.0.2.1", owner="secret:" + secrets.token_hex(16))
    for _ in range(count // AT_ONCE):
        store.accept([Submission(request, client)] * AT_ONCE)


def succeed(store: JobStore) -> None:
    """Ends every waiting job."""
    while record := store.claim(store.settings.model, "bench", secrets.token_hex(16)):
        store.finish(record.id, record.token, Success(output(record)))


def output(record: JobRecord) -> JobOutput:
    """The output of a job of five seconds."""
    image = ImageOutput(f"{record.folder}clip.png", 512, 512, 201_234)
    return JobOutput(image, AudioOutput(f"{record.folder}clip.mp3", 5.11, 44_100, 1, "mp3", 82_345))


def bytes_a_record(store: JobStore, count: int, make: Callable[[], None]) -> int:
    """How much more memory each of the `count` records takes that `make` makes."""
    before = used(store)
    make()
    return round((used(store) - before) / count)


def used(store: JobStore) -> int:
    """Bytes that Redis holds."""
    return int(store.redis.info("memory")["used_memory"])  # type: ignore[index]  # typed as if it could be asynchronous


def main() -> None:
    """Measures and prints a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=9_600, help="Of each kind.")
    count = parser.parse_args().records // AT_ONCE * AT_ONCE
    with tempfile.TemporaryDirectory() as folder:
        valkey = Valkey(Path(folder))
        process = valkey.start()
        try:
            while not valkey.serves():
                pass
            store = JobStore.connect(Settings(redis_url=valkey.url, data_dir=Path(folder), max_queued=10**9))
            store.redis.config_set("appendfsync", "no")  # the disk isn't measured here
            waiting = bytes_a_record(store, count, lambda: accept(store, parse(PROMPT), count))
            growth = bytes_a_record(store, count, lambda: succeed(store))
            seeded = parse({**PROMPT, "seed": 7})
            accept(store, seeded, AT_ONCE)
            succeed(store)
            found = {"waiting": waiting, "succeeded": waiting + growth}
            kinds = {"copy": seeded, "4000 characters of 2 bytes": parse(LONG), "4000 of 4 bytes": parse(LONGEST)}
            for name, request in kinds.items():
                found[name] = bytes_a_record(store, count, partial(accept, store, request, count))
        finally:
            stop(process, GRACE_S)
    print(json.dumps({**found, "records": count}))


if __name__ == "__main__":
    main()
