"""Jobs to run, and workers to run them: in this process, or as processes of their own."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from riffusion.embedded.child import Process, kill, spawn
from riffusion.jobs.acceptance import Submission
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.store import JobStore
from riffusion.requests.modes.text_to_audio import TextToAudio
from riffusion.settings import Settings
from riffusion.storage import Storage, open_storage
from tests.conftest import wait_until
from tests.jobs.conftest import by

ROOT = Path(__file__).parents[2]
STARTS_S = 60


@pytest.fixture
def files(settings: Settings) -> Storage:
    return open_storage(settings)


@dataclass
class Jobs:
    """A client of the store."""

    store: JobStore

    def submit(self, prompt: str) -> str:
        """Accepts a job and leaves its wake-up to the reaper, as if the API had died right then."""
        return self.store.accept([Submission(TextToAudio(prompt=prompt), by("somebody"))]).records[0].id

    def get(self, job_id: str) -> JobRecord:
        return self.store.get(job_id)

    def wait(self, job_id: str, status: JobStatus | None = None, timeout: float = 60) -> JobRecord:
        """The job once it has this status, or once it has ended."""

        def there() -> bool:
            now = self.get(job_id).status
            return now is status if status else now.terminal

        wait_until(there, timeout, f"the job is still {self.get(job_id).status}")
        return self.get(job_id)


@pytest.fixture
def jobs(store: JobStore) -> Jobs:
    return Jobs(store)


@dataclass
class Workers:
    """Processes of `tests.worker.cheap`: a real worker around a model that costs nothing."""

    settings: Settings
    store: JobStore
    folder: Path
    started: list[Process] = field(default_factory=list)

    def start(self, *, wait: bool = True) -> Process:
        """Starts a worker; unless `wait` is false, returns when it takes jobs."""
        log = self.folder / f"worker{len(self.started)}.log"
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        for name in self.settings.model_fields_set:
            env[f"RIFFUSION_{name.upper()}"] = str(getattr(self.settings, name))
        with log.open("ab") as output:
            worker = spawn([sys.executable, "-m", "tests.worker.cheap"], env=env, output=output)
        self.started.append(worker)
        if not wait:
            return worker
        wait_until(lambda: worker.poll() is not None or '"event": "ready"' in log.read_text(), STARTS_S)
        assert worker.poll() is None, log.read_text()
        return worker


@pytest.fixture
def workers(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., Workers]]:
    """Makes workers with other settings than the default ones; ends them after the test."""
    made: list[Workers] = []

    def make(**changed: object) -> Workers:
        changed = {"redis_url": settings.redis_url, "data_dir": settings.data_dir, "slots": 2, **changed}
        new = Settings.model_validate(changed)
        made.append(Workers(new, JobStore.connect(new), tmp_path))
        return made[-1]

    yield make
    for process in (process for group in made for process in group.started):
        kill(process)
        process.wait()
