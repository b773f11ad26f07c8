"""Commands that only show: a file's recipe, the seed images."""

import json
from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def recipe(file: Path) -> None:
    """Prints the request that made a PNG or an audio FILE, as JSON."""
    from riffusion.audio.recipe import read_recipe

    click.echo(json.dumps(read_recipe(file), indent=2, ensure_ascii=False))


@click.command()
def seeds() -> None:
    """Lists the built-in seed images: name, tempo, bars."""
    from riffusion.seeds import list_seeds

    for seed in list_seeds():
        click.echo(f"{seed.name:<20} {seed.bpm:>6.1f} BPM  {seed.bars} bars  {seed.title}")
