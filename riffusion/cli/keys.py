"""`riffusion keys`: the API keys, kept in the Redis that the API uses."""

from datetime import UTC, datetime
from pathlib import Path

import click

from riffusion.cli.serve import DATA
from riffusion.embedded.supervisor import REDIS_URL
from riffusion.jobs.database import connect, refuse_cluster
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import Quota
from riffusion.settings import get_settings

LIMIT = click.IntRange(0)


def _store(data: Path | None) -> KeyStore:
    """The keys in the Redis of the settings; where they name none, in that of a `riffusion up` on this machine."""
    settings = get_settings()
    url = (data or settings.data_dir) / REDIS_URL
    if url.exists() and (data is not None or "redis_url" not in settings.model_fields_set):
        settings = settings.model_copy(update={"redis_url": url.read_text()})
    redis = connect(settings)
    refuse_cluster(redis)
    return KeyStore(redis, settings)


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
    text, key = _store(data).create(name, Quota(**limits), weight=weight, for_end_users=for_end_users)
    click.echo(f"id              {key.id}")
    click.echo(f"key             {text}")
    click.echo(f"webhook secret  {key.webhook_secret}")
    click.echo("Keep the key and the secret now: they are not shown again.", err=True)


@keys.command("list")
@DATA
def show(data: Path | None) -> None:
    """Lists the keys there are."""
    for key in _store(data).list():
        made = datetime.fromtimestamp(key.created_at, UTC).strftime("%Y-%m-%d")
        quota = f"{key.quota.creates_per_minute}/min  {key.quota.jobs_in_flight} in flight  weight {key.weight:g}"
        click.echo(f"{key.id}  {made}  {quota}{'  for end users' if key.for_end_users else ''}  {key.name}")


@keys.command()
@click.argument("key_id", metavar="ID")
@DATA
def revoke(key_id: str, data: Path | None) -> None:
    """Ends the key of this ID at once."""
    _store(data).revoke(key_id)
