"""`riffusion keys`: the API keys, kept in the Redis that the API uses."""

from datetime import UTC, datetime
from pathlib import Path

import click

from riffusion.cli.operators import Operator
from riffusion.cli.serve import DATA
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import Quota

LIMIT = click.IntRange(0)


@click.group()
def keys() -> None:
    """API keys: make, list, revoke."""


@keys.command()
@click.argument("name")
@click.option("--creates-per-minute", type=LIMIT, default=600, show_default=True, help="Jobs and uploads; 0: no limit.")
@click.option("--jobs-in-flight", type=LIMIT, default=500, show_default=True, help="That wait or run; 0: no limit.")
@click.option("--jobs-kept", type=LIMIT, default=100_000, show_default=True, help="Records at once; 0: no limit.")
@click.option(
    "--request-bytes", type=LIMIT, default=256 << 20, show_default=True, help="Of those records' requests; 0: no limit."
)
@click.option(
    "--stored-bytes", type=LIMIT, default=20 << 30, show_default=True, help="Of uploads and results; 0: no limit."
)
@click.option(
    "--weight", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True,
    help="Share of the queue, relative to other clients.",
)  # fmt: skip
@click.option(
    "--for-end-users", is_flag=True,
    help="The owner serves many people and says in Riffusion-End-User for whom it asks: limits and weight are each's.",
)  # fmt: skip
@DATA
def create(*, name: str, weight: float, for_end_users: bool, data: Path | None, **limits: int) -> None:
    """Makes a key for NAME and shows it, this once."""
    operator = Operator.open(data)
    text, key = _store(operator).create(name, Quota(**limits), weight=weight, for_end_users=for_end_users)
    operator.record("key.create", key.id, name=name)
    click.echo(f"id              {key.id}")
    click.echo(f"key             {text}")
    click.echo(f"webhook secret  {key.webhook_secret}")
    click.echo("Keep the key and the secret now: they are not shown again.", err=True)


@keys.command("list")
@DATA
def show(data: Path | None) -> None:
    """Lists the keys there are."""
    for key in _store(Operator.open(data)).list():
        made = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d")
        quota = f"{key.quota.creates_per_minute}/min  {key.quota.jobs_in_flight} in flight  weight {key.weight:g}"
        click.echo(f"{key.id}  {made}  {quota}{'  for end users' if key.for_end_users else ''}  {key.name}")


@keys.command()
@click.argument("key_id", metavar="ID")
@DATA
def revoke(key_id: str, data: Path | None) -> None:
    """Ends the key of this ID at once."""
    operator = Operator.open(data)
    operator.record("key.revoke", key_id)
    _store(operator).revoke(key_id)


def _store(operator: Operator) -> KeyStore:
    return KeyStore(operator.redis, operator.settings)
