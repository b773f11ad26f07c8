"""One command per mode, run in this process on the model that the settings name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from riffusion.cli.options import build, parameters
from riffusion.cli.quick_start import without_garbage_collection
from riffusion.cli.trouble import echo_trouble, saving
from riffusion.requests import AnyRequest, AudioFormat, Painted, with_seed
from riffusion.settings import Settings, get_settings

if TYPE_CHECKING:
    from riffusion.generate import Renderer

FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)


def command_of(mode: type[AnyRequest]) -> click.Command:
    """The command that makes a clip of this mode."""
    params = parameters(mode)
    output_help = f"Where to save: .{', .'.join(FORMATS)} is the sound, .png the picture; may be given twice."
    path = click.Path(dir_okay=False, path_type=Path)
    if any(isinstance(parameter, click.Argument) and parameter.metavar == "INPUT" for parameter in params):
        params.insert(1, click.Argument(["output"], nargs=-1, required=True, type=path))
    else:
        params.append(click.Option(["-o", "--output"], required=True, multiple=True, type=path, help=output_help))

    def callback(output: tuple[Path, ...], **values: Any) -> None:
        _run(mode, output, values)

    return click.Command(mode.COMMAND, params=params, callback=callback, help=mode.__doc__)


def _run(mode: type[AnyRequest], outputs: tuple[Path, ...], values: dict[str, Any]) -> None:
    chosen = {"format": audio_format} if (audio_format := _format(outputs)) else {}
    request, inputs = build(mode, values, **chosen)
    request, settings = with_seed(request), get_settings()
    # Only now: torch takes a second to import, and the command line may be wrong.
    from riffusion.cli.progress import ProgressBar

    logging.getLogger("riffusion").setLevel(logging.ERROR)  # its warnings come with the clip
    with without_garbage_collection(), ProgressBar() as bar, _runner(mode, settings) as runner:
        clip = runner.run(request, inputs, bar)
    for warning in clip.warnings:
        echo_trouble(warning)
    for path in outputs:
        with saving(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(clip.png if path.suffix.lower() == ".png" else clip.audio)
        click.echo(f"{path}  {clip.duration_s:.2f} s{_seed(request)}")


@contextmanager
def _runner(mode: type[AnyRequest], settings: Settings) -> "Iterator[Renderer]":
    """What runs requests of a mode: only those that paint wait for the model."""
    from riffusion import generate

    if issubclass(mode, Painted):
        with generate.Generator.load(settings) as generator:
            yield generator
    else:
        yield generate.Renderer(settings)


def _format(outputs: tuple[Path, ...]) -> str | None:
    """The audio format that the outputs' names ask for."""
    suffixes = {path.suffix.lower().removeprefix(".") for path in outputs}
    if unknown := suffixes - {"png", *FORMATS}:
        raise click.BadParameter(f"Can't write .{unknown.pop()} files, only .png, .{', .'.join(FORMATS)}.")
    sounds = suffixes - {"png"}
    if len(sounds) > 1:
        raise click.BadParameter("Give one audio format at a time.")
    return sounds.pop() if sounds else None


def _seed(request: AnyRequest) -> str:
    seed = getattr(request, "seed", None)
    return "" if seed is None else f", seed {seed}"
