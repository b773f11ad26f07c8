"""How commands say what went wrong: in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from riffusion.printable import escape


def echo_trouble(text: object) -> None:
    """Says it on standard error, without what a terminal would obey: some of it comes from servers and from files."""
    click.echo("riffusion: " + escape(str(text), keep="\n"), err=True)


@contextmanager
def saving(path: Path) -> Iterator[None]:
    """Around what writes a file or a folder.

    Raises:
        FileError: it can't be written.
    """
    try:
        yield
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
