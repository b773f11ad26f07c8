"""`riffusion models`: pause, drain, resume and retire models."""

from dataclasses import asdict
from pathlib import Path

import click

from riffusion.cli.operators import JSON, Operator, echo_json, echo_table
from riffusion.cli.serve import DATA
from riffusion.jobs.model_control import ModelControl
from riffusion.jobs.models import ModelState
from riffusion.jobs.store import JobStore

MODEL = click.argument("model")


@click.group()
def models() -> None:
    """Models: list, pause, resume, drain, retire."""


@models.command("list")
@JSON
@DATA
def list_models(*, as_json: bool, data: Path | None) -> None:
    """Every model that ever had a worker."""
    operator = Operator.open(data)
    loads = sorted(JobStore(operator.redis, operator.settings).models.loads().items())
    if as_json:
        for name, load in loads:
            echo_json({"name": name, **{key: value for key, value in asdict(load).items() if key != "card"}})
        return
    rows = (
        (name, str(load.state), *map(str, (load.workers, load.slots, load.waiting, load.running)))
        for name, load in loads
    )
    echo_table(("MODEL", "STATE", "WORKERS", "SLOTS", "WAITING", "RUNNING"), rows)


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
    """Fails what waits for MODEL, which has no workers any more, and forgets it."""
    operator = Operator.open(data)
    operator.record("model.retire", model)
    failed = ModelControl(operator.redis, operator.settings).retire(model)
    click.echo(f"{failed} jobs failed as model_retired")


def _set(model: str, state: ModelState, data: Path | None) -> None:
    operator = Operator.open(data)
    action = {ModelState.PAUSED: "pause", ModelState.DRAINING: "drain", ModelState.ACTIVE: "resume"}[state]
    operator.record(f"model.{action}", model)
    ModelControl(operator.redis, operator.settings).set_state(model, state)
