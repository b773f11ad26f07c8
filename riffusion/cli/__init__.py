"""The `riffusion` command. Each subcommand's module is imported only when it runs, so that `--help` is quick."""

import importlib
import os
import sys
import warnings
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from riffusion import __version__
from riffusion.cli.trouble import echo_trouble
from riffusion.errors import InvalidRequest, RiffusionError

if TYPE_CHECKING:
    from riffusion.requests import AnyRequest

# name: (where the command is, what it does); the modes' commands stand between the two
SERVICE = {
    "up": ("riffusion.cli.serve:up", "The whole service on this machine: Redis, API and worker."),
    "api": ("riffusion.cli.serve:api", "The HTTP API alone."),
    "worker": ("riffusion.cli.serve:worker", "A worker alone."),
    "demo": ("riffusion.cli.demo:demo", "One clip through the whole service, started and stopped for it."),
    "keys": ("riffusion.cli.keys:keys", "API keys: make, list, change, rotate, revoke."),
    "jobs": ("riffusion.cli.jobs:jobs", "Everyone's jobs: list, show, cancel, requeue, purge."),
    "models": ("riffusion.cli.models:models", "Models: list, pause, resume, drain, retire."),
    "clients": ("riffusion.cli.clients:clients", "Clients: what they have; block, unblock, purge."),
    "clips": ("riffusion.cli.clips:clips", "Published clips: list, reports; take down, restore."),
    "reconcile": ("riffusion.cli.reconcile:reconcile", "Records and files compared, after a restore."),
    "audit": ("riffusion.cli.audit:audit", "What operators have done."),
    "plan": ("riffusion.cli.plan:plan", "What so many clips a second need, and from which figures."),
    "bucket": ("riffusion.cli.bucket:bucket", "Make the bucket of an S3 server of one's own."),
    "submit": ("riffusion.cli.submit:submit", "Make a clip on a running server."),
    "batch": ("riffusion.cli.batch:batch", "Thousands of requests on a running server: submit, wait, results."),
}
TOOLS = {
    "recipe": ("riffusion.cli.inspect:recipe", "The request that made a PNG or an audio file."),
    "seeds": ("riffusion.cli.inspect:seeds", "The built-in seed images."),
    "discord": ("riffusion.discord_bot.cli:discord", "The Discord bot, in front of a running API."),
    "mcp": ("riffusion.mcp_server.cli:mcp", "The MCP server, by which assistants use a running API."),
    "train": ("riffusion.training.cli:train", "Train or fine-tune a model."),
}

# Extras other than [worker] that commands need.
EXTRAS = {"up": "embedded", "demo": "embedded", "discord": "discord", "mcp": "mcp", "train": "train"}
EXTRAS |= dict.fromkeys(("api", "keys", "jobs", "models", "clients", "clips", "reconcile", "audit", "bucket"), "api")


def _modes() -> dict[str, "type[AnyRequest]"]:
    """Modes by their commands' names."""
    from riffusion.requests import MODES

    return {mode.COMMAND: mode for mode in MODES}


def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


class LazyGroup(click.Group):
    """A group that lists its commands without importing them, and imports one when it is called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order in which people need them."""
        return [*SERVICE, *_modes(), *TOOLS]

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Imports the command."""
        command: click.Command | None = None
        if name in SERVICE or name in TOOLS:
            command = _load((SERVICE | TOOLS)[name][0])
        elif mode := _modes().get(name):
            command = _load("riffusion.cli.make:command_of")(mode)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and purposes, without importing any command."""
        modes = [(name, mode.PURPOSE) for name, mode in _modes().items()]
        service, tools = ([(name, purpose) for name, (_, purpose) in part.items()] for part in (SERVICE, TOOLS))
        with formatter.section("Commands"):
            formatter.write_dl([*service, *modes, *tools])


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
        echo_trouble(error)
        sys.exit(2 if isinstance(error, InvalidRequest) else 1)  # a field out of range is one of the options
    except ValidationError as error:
        if error.title != "Settings":
            raise
        for item in error.errors():
            echo_trouble(f"RIFFUSION_{str(item['loc'][0]).upper()}: {item['msg']}")
        sys.exit(1)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("riffusion", "api", "web", "worker"):
            raise
        extra = EXTRAS.get(sys.argv[1], "worker")
        install = f"in the project's folder, pip install '.[{extra}]'"
        echo_trouble(f"this command needs {error.name}: {install}")
        sys.exit(1)
