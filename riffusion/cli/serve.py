"""Commands that serve: the whole stack, or one of its parts."""

import os
import sys
from pathlib import Path

import click

from riffusion.cli.quick_start import without_garbage_collection
from riffusion.settings import get_settings

DATA = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), default=None, help="Folder that keeps everything."
)
PORT = click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 chooses a free one."
)
HOST = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


@click.command()
@PORT
@HOST
@DATA
def up(port: int, host: str, data: Path | None) -> None:
    """Redis, API, worker and storage on this machine, until Ctrl-C.

    Jobs and clips are kept in the data folder and are there again after a restart. A process that dies is started
    again. Ctrl-C gives running jobs five seconds (or RIFFUSION_SHUTDOWN_GRACE_S, if set); a second one none. Those
    that haven't ended by then run again at the next start.
    """
    from riffusion import logs
    from riffusion.embedded.supervisor import Supervisor

    settings = get_settings()
    if data is not None:
        settings = settings.model_copy(update={"data_dir": data})
    logs.configure(settings.model_copy(update={"log_format": "console"}))
    Supervisor(settings, host, port).run(ready=lambda url: click.echo(f"READY {url}"))


@click.command()
@PORT
@HOST
@click.option("--fd", type=int, hidden=True, help="A listening socket to serve, inherited from the parent.")
def api(port: int, host: str, fd: int | None) -> None:
    """The HTTP API, served by gunicorn."""
    import gunicorn  # type: ignore[import-untyped]  # noqa: F401 -- where it is missing, this says so

    bind = f"{host}:{port}" if fd is None else f"fd://{fd}"
    command = ["gunicorn", "--config", "python:api.gunicorn_conf", "--bind", bind]
    os.execv(sys.executable, [sys.executable, "-m", *command])  # noqa: S606 -- no shell; the process becomes gunicorn


@click.command()
def worker() -> None:
    """A worker: loads the model and runs jobs until SIGTERM, then finishes what runs.

    What still runs after RIFFUSION_SHUTDOWN_GRACE_S seconds, or at a second SIGTERM, is left to other workers.
    """
    settings = get_settings()  # first, because torch takes seconds to import
    with without_garbage_collection():
        from riffusion.generate import Generator
        from worker.app import serve

    sys.exit(serve(settings, without_garbage_collection()(Generator.load)))
