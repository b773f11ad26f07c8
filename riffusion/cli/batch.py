"""`riffusion batch`: many requests on a running server, from a file to a folder of clips."""

import json
import re
from pathlib import Path
from typing import IO

import click
from pydantic import BaseModel
from tqdm import tqdm

from riffusion.cli.remote import SERVER, connect
from riffusion.cli.trouble import echo_trouble, saving
from riffusion.client import Batch, BatchResult, Job
from riffusion.client.models import BatchData
from riffusion.errors import RequestError

PATIENT_S = 300  # for which a command that takes long outlasts a server that is away

ID = click.argument("batch_id", metavar="ID")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON lines, for scripts.")


@click.group()
def batch() -> None:
    """Up to 10,000 requests at once, on a running server that has given you a key."""


@batch.command(params=[*SERVER])
@click.argument("file", type=click.File("rb"))
def submit(*, url: str, key: str | None, file: IO[bytes]) -> None:
    """Submits the requests in FILE; prints an ID.

    A request is a JSON object on a line of its own, which may have an "id" of yours. All are accepted or none; their
    clips are made in the server's own time. FILE may be -, standard input.
    """
    with connect(url, key) as client:
        made = client.submit_batch(file)
    click.echo(f"{made.data.total} requests for the model {made.data.model!r}", err=True)
    click.echo(made.id)


@batch.command("list", params=[*SERVER])
@JSON
def list_batches(*, url: str, key: str | None, as_json: bool) -> None:
    """The batches of your key, newest first."""
    with connect(url, key) as client:
        for each in client.batches():
            _print(each.data, as_json=as_json)


@batch.command(params=[*SERVER])
@ID
@JSON
def show(*, url: str, key: str | None, batch_id: str, as_json: bool) -> None:
    """How far a batch is."""
    with connect(url, key) as client:
        _print(client.batch(batch_id).data, as_json=as_json)


@batch.command(params=[*SERVER])
@ID
def wait(*, url: str, key: str | None, batch_id: str) -> None:
    """Waits until all requests have ended.

    It ends with 1 unless all have succeeded. On a terminal, it shows how far the batch is; Ctrl-C ends the waiting, not
    the batch.
    """
    with connect(url, key, PATIENT_S) as client:
        waiting = client.batch(batch_id)
        with tqdm(total=waiting.data.total, unit="clip", leave=False, disable=None) as bar:

            def advance(now: Batch) -> None:
                bar.set_description(
                    f"{now.data.counts.running} running, {now.data.counts.failed} failed", refresh=False
                )
                bar.n = now.data.counts.ended
                bar.refresh()

            waiting.wait(progress=advance)
    _print(waiting.data)
    if waiting.data.counts.succeeded < waiting.data.total:
        click.get_current_context().exit(1)


@batch.command(params=[*SERVER])
@ID
@click.option(
    "-o", "--output", "folder", type=click.Path(file_okay=False, path_type=Path),
    help="Save the clips in this folder instead, named by line and id; ends with 1 unless each request has one.",
)  # fmt: skip
def results(*, url: str, key: str | None, batch_id: str, folder: Path | None) -> None:
    """Prints what has become of each request.

    A JSON object a line, in their order; also before all have ended.
    """
    lacking = 0
    with connect(url, key, PATIENT_S) as client:
        for result in client.batch(batch_id).results():
            if folder is None:
                _print_json(result.data)
            else:
                lacking += not _saved(result, folder)
    if lacking:
        click.get_current_context().exit(1)


@batch.command(params=[*SERVER])
@ID
def cancel(*, url: str, key: str | None, batch_id: str) -> None:
    """Ends all requests that haven't ended.

    What is made is kept.
    """
    with connect(url, key) as client:
        _print(client.batch(batch_id).cancel().data)


@batch.command(params=[*SERVER])
@ID
def delete(*, url: str, key: str | None, batch_id: str) -> None:
    """Deletes a batch with all of its clips."""
    with connect(url, key) as client:
        client.batch(batch_id).delete()


def _print(data: BatchData, *, as_json: bool = False) -> None:
    if as_json:
        _print_json(data)
        return
    counts = data.counts
    numbers = f"{counts.ended} of {data.total} ended: {counts.succeeded} succeeded, {counts.failed} failed"
    click.echo(f"{data.id}  {data.created_at:%Y-%m-%d %H:%M:%S}  {data.status:<9}  {numbers}")


def _print_json(data: BaseModel) -> None:
    """In ASCII, where no control character is left."""
    click.echo(json.dumps(data.model_dump(mode="json")))


def _saved(result: BatchResult[Job], folder: Path) -> bool:
    """Saves the clip of a result, and says where; or why not, on standard error."""
    problem: object = result.error or f"it is {result.status}"
    if result.job and result.status == "succeeded":
        try:
            with saving(folder):
                saved = result.job.download(folder, _name(result))
        except RequestError as error:  # its files are gone
            problem = error
        else:
            click.echo(saved.audio)
            return True
    echo_trouble(f"line {result.line}: {problem}")
    return False


def _name(result: BatchResult[Job]) -> str:
    """Unlike any other of the batch, in the order of its lines, and without what a file's name can't have."""
    own = re.sub(r"[^A-Za-z0-9_-]+", "_", result.id or "")
    return f"{result.line:05}-{own}"[:100].rstrip("-")
