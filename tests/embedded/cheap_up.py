"""`riffusion up` around a model that costs nothing: `python -m tests.embedded.cheap_up PORT FOLDER [WORKER ...]`.

The words after the folder are the worker's command, where it isn't `tests.worker.cheap`.
"""

import sys
from pathlib import Path

import click

from riffusion import logs
from riffusion.embedded.supervisor import Supervisor
from riffusion.errors import RiffusionError
from riffusion.settings import Settings

if __name__ == "__main__":
    settings = Settings(data_dir=Path(sys.argv[2]))
    logs.configure(settings)
    worker = sys.argv[3:] or (sys.executable, "-m", "tests.worker.cheap")
    try:
        Supervisor(settings, port=int(sys.argv[1]), worker=worker).run(lambda url: click.echo(f"READY {url}"))
    except RiffusionError as error:
        sys.exit(f"riffusion: {error}")
