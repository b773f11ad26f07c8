"""Stops reapers in the very moment in which their waits run out. To be run under `gevent.monkey`, as the API is."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from riffusion.jobs import reaper
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import open_storage


class Idle(reaper.Reaper):
    """Has nothing to do, as most of the time."""

    def reap(self) -> None: ...

    def sweep(self) -> None: ...


def main() -> int:
    reaper.INTERVAL_S = 0.02
    with TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        store, files = JobStore.connect(settings), open_storage(settings)
        for _ in range(20):
            idle = Idle(store, files)
            idle.start()
            time.sleep(0.02)
            idle.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
