"""`riffusion up` around a model that costs nothing: `python -m tests.embedded.cheap_up PORT FOLDER`."""

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
    worker = (sys.executable, "-m", "tests.worker.cheap")
    try:
        Supervisor(settings, port=int(sys.argv[1]), worker=worker).run(lambda url: click.echo(f"READY {url}"))
    except RiffusionError as error:
        sys.exit(f"riffusion: {error}")
