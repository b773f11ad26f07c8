"""The `riffusion` command. Each subcommand's module is imported only when it runs, so that `--help` is quick."""

import importlib
import os
import sys
import warnings

import click
from pydantic import ValidationError

from riffusion import __version__
from riffusion.errors import RequestError, RiffusionError

# name: (where the command is, what it does)
COMMANDS = {
    "up": ("riffusion.cli.serve:up", "The whole service on this machine: Redis, API and worker."),
    "api": ("riffusion.cli.serve:api", "The HTTP API alone."),
    "worker": ("riffusion.cli.serve:worker", "A worker alone."),
    "demo": ("riffusion.cli.demo:demo", "One clip through the whole service, started and stopped for it."),
    "keys": ("riffusion.cli.keys:keys", "API keys: make, list, revoke."),
    "submit": ("riffusion.cli.submit:submit", "Make a clip on a running server."),
    "generate": ("riffusion.cli.make:generate", "A clip from a prompt."),
    "riff": ("riffusion.cli.make:riff", "A new clip in the shape of another."),
    "interpolate": ("riffusion.cli.make:interpolate", "Between two prompts."),
    "inpaint": ("riffusion.cli.make:inpaint", "Paint part of a clip anew."),
    "audio-to-audio": ("riffusion.cli.make:audio_to_audio", "A recording of any length, played anew."),
    "image-to-audio": ("riffusion.cli.make:image_to_audio", "The sound of a picture."),
    "audio-to-image": ("riffusion.cli.make:audio_to_image", "The spectrogram of a recording."),
    "extend": ("riffusion.cli.make:extend", "Make a clip longer."),
    "loop": ("riffusion.cli.make:loop", "Make a clip repeat without a seam."),
    "recipe": ("riffusion.cli.inspect:recipe", "The request that made a PNG or an audio file."),
    "seeds": ("riffusion.cli.inspect:seeds", "The built-in seed images."),
    "discord": ("riffusion.discord_bot.cli:discord", "The Discord bot, in front of a running API."),
    "train": ("riffusion.training.cli:train", "Train or fine-tune a model."),
}

# What else than [worker] a command needs to be installed.
EXTRAS = {"up": "embedded", "demo": "embedded", "api": "api", "keys": "api", "discord": "discord", "train": "train"}


class LazyGroup(click.Group):
    """A group that knows its commands' names and imports one when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order in which people need them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Imports the command."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and purposes, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, purpose) in COMMANDS.items()])


@click.command(cls=LazyGroup)
@click.version_option(__version__, prog_name="riffusion")
def cli() -> None:
    """Music from text prompts: Stable Diffusion paints mel spectrograms, and the pictures are turned into sound."""


def main() -> None:
    """The command's entry point. What goes wrong on purpose is one line; a stack is printed for bugs only."""
    # Nothing that the user of a command could act on: what transformers could do with other packages, and a worker in a
    # container that has no other user.
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore", r"\s*You're running the worker with superuser privileges")
    try:
        cli.main(prog_name="riffusion")
    except RiffusionError as error:
        click.echo(f"riffusion: {error}", err=True)
        sys.exit(2 if isinstance(error, RequestError) else 1)
    except ValidationError as error:
        if error.title != "Settings":
            raise
        for item in error.errors():
            click.echo(f"riffusion: RIFFUSION_{str(item['loc'][0]).upper()}: {item['msg']}", err=True)
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("riffusion", "api", "web", "worker"):
            raise
        extra = EXTRAS.get(sys.argv[1], "worker")
        install = f"in the project's folder, pip install '.[{extra}]'"
        click.echo(f"riffusion: this command needs {error.name}: {install}", err=True)
        sys.exit(1)
