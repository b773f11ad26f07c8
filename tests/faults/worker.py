"""The cheap worker, which also writes down each run that it begins: `python -m tests.faults.worker`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from riffusion.generate import Clip, Control
from riffusion.requests import AnyRequest
from riffusion.settings import Settings
from tests.worker.cheap import CheapGenerator
from worker.app import serve
from worker.attempt import Attempt

JOURNAL = "journal"  # in the data folder: a line "<job id> <token> <process id>" for every run that began


class JournalingGenerator(CheapGenerator):
    """Records what it really ran, which the record in Redis might not have."""

    def __init__(self, journal: Path) -> None:
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    @classmethod
    def load(cls, settings: Settings) -> "JournalingGenerator":
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        return cls(settings.data_dir / JOURNAL)

    def run(self, request: AnyRequest, inputs: Mapping[str, bytes], control: Control) -> Clip:
        assert isinstance(control, Attempt)
        os.write(self._journal, f"{control.id} {control.token} {os.getpid()}\n".encode())
        return super().run(request, inputs, control)


if __name__ == "__main__":
    sys.exit(serve(Settings(), JournalingGenerator.load))
