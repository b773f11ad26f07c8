"""A clip from a running server."""

import json
from pathlib import Path
from typing import IO, Any

import click

from riffusion.cli.options import build, parameters
from riffusion.cli.progress import ProgressBar
from riffusion.cli.remote import SERVER, connect
from riffusion.cli.trouble import echo_trouble, saving
from riffusion.client import Downloaded, Job
from riffusion.errors import InvalidRequest
from riffusion.requests import AnyRequest, parse
from riffusion.requests.modes.text_to_audio import TextToAudio


def follow(job: Job, folder: Path, name: str | None = None) -> Downloaded:
    """Shows a bar until the job has succeeded, and saves its files.

    Raises:
        JobError: it failed or was canceled.
    """
    with ProgressBar() as bar:
        job.wait(progress=bar.show)
    for warning in job.data.warnings:
        echo_trouble(warning)
    with saving(folder):
        return job.download(folder, name)


def _submit(url: str, key: str | None, folder: Path, request: IO[str] | None, **values: Any) -> None:
    if (request is None) == (values["prompt"] is None):
        raise click.UsageError("Give a PROMPT or --request.")
    with connect(url, key) as client:
        job = client.submit(_read(request) if request is not None else build(TextToAudio, values)[0])
        click.echo(f"job {job.id}", err=True)
        saved = follow(job, folder)
    for path, file in ((saved.audio, job.audio), (saved.image, job.image)):
        click.echo(f"{path}  {file.url}")


def _read(file: IO[str]) -> AnyRequest:
    try:
        return parse(json.load(file))
    except ValueError:
        raise InvalidRequest([{"field": "", "message": f"{file.name} is not JSON"}]) from None


def _parameters() -> list[click.Parameter]:
    params = parameters(TextToAudio)
    params[0].required = False  # the prompt: --request has one
    folder = click.Path(file_okay=False, path_type=Path)
    return [
        *params,
        *SERVER,
        click.Option(["--request"], type=click.File(), help="JSON of any mode instead, such as `riffusion recipe`'s."),
        click.Option(["-o", "--output", "folder"], type=folder, default=Path(), help="Folder for the files."),
    ]


submit = click.Command(
    "submit", params=_parameters(), callback=_submit, help="Makes a clip from PROMPT on a running server and saves it."
)
