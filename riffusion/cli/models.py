"""`riffusion models`: pause, drain, resume and retire models."""

from pathlib import Path

import click

from riffusion.cli.operators import JSON, Operator, echo_json, echo_line, echo_note, echo_table
from riffusion.cli.serve import DATA
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.jobs.statistics import read_statistics

MODEL = click.argument("model")
_SHOWN = ("state", "workers", "slots", "waiting", "oldest_waiting_s", "running")


@click.group()
def models() -> None:
    """Models: list, pause, resume, drain, retire."""


@models.command("list")
@JSON
@DATA
def list_models(*, as_json: bool, data: Path | None) -> None:
    """Every model that ever had a worker."""
    operator = Operator.open(data)
    found = sorted(read_statistics(operator.redis, operator.settings).models.items())
    if not found:
        echo_note("No model has had a worker yet.")
    if as_json:
        for name, model in found:
            echo_json({"name": name, **{field: getattr(model, field) for field in _SHOWN}})
        return
    rows = ((name, *(_cell(getattr(model, field)) for field in _SHOWN)) for name, model in found)
    echo_table(("MODEL", "STATE", "WORKERS", "SLOTS", "WAITING", "OLDEST WAIT", "RUNNING"), rows)
    for name, model in found:
        if model.state is ModelState.PAUSED:
            echo_note(
                f"{name} is paused: its {model.waiting} waiting jobs start after `riffusion models resume {name}`."
            )


@models.command()
@MODEL
@DATA
def pause(model: str, data: Path | None) -> None:
    """Starts no more jobs of MODEL. New ones are accepted and wait, at most until their deadline."""
    _set(model, ModelState.PAUSED, data)


@models.command()
@MODEL
@DATA
def drain(model: str, data: Path | None) -> None:
    """Refuses new jobs for MODEL; those that wait are run."""
    _set(model, ModelState.DRAINING, data)


@models.command()
@MODEL
@DATA
def resume(model: str, data: Path | None) -> None:
    """Ends a pause, or lets a drained MODEL accept jobs again."""
    _set(model, ModelState.ACTIVE, data)


@models.command()
@MODEL
@DATA
def retire(model: str, data: Path | None) -> None:
    """Forgets MODEL, without workers; its jobs fail.

    What waits for it fails as model_retired.
    """
    operator = Operator.open(data)
    control = ModelControl(operator.redis, operator.settings)
    control.check_retirement(model)
    operator.record("model.retire", model)
    echo_line(f"{model} is retired: {control.retire(model)} jobs failed as model_retired")


def _set(model: str, state: ModelState, data: Path | None) -> None:
    operator = Operator.open(data)
    control = ModelControl(operator.redis, operator.settings)
    before = control.state(model)
    if before is state:
        echo_line(f"{model} is {state} already")
        return
    action = {ModelState.PAUSED: "pause", ModelState.DRAINING: "drain", ModelState.ACTIVE: "resume"}[state]
    operator.record(f"model.{action}", model)
    control.set_state(model, state)
    echo_line(f"{model} is {state}; it was {before}")


def _cell(value: object) -> str:
    return f"{value:.0f} s" if isinstance(value, float) else str(value)
