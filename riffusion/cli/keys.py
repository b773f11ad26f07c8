"""`riffusion keys`: the API keys, kept in the Redis that the API uses."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from riffusion.cli.operators import JSON, Duration, Operator, echo_json, echo_note, echo_table, timestamp
from riffusion.cli.serve import DATA
from riffusion.jobs.key_data import KeyData, Owned
from riffusion.jobs.keys import Key, KeyStore
from riffusion.jobs.tenants import Quota

KEY = click.argument("key_id", metavar="ID")
OVERLAP = click.option(
    "--overlap", type=Duration(), default="1d", show_default=True, help="For how long the old one stays valid; 0s: not."
)
_LIMITS = {  # default, help
    "creates_per_minute": (600, "Jobs and uploads; 0: no limit."),
    "jobs_in_flight": (500, "That wait or run; 0: no limit."),
    "jobs_kept": (100_000, "Records at once; 0: no limit."),
    "request_bytes": (256 << 20, "Of those records' requests; 0: no limit."),
    "stored_bytes": (20 << 30, "Of uploads and results; 0: no limit."),
}


def _options(*, defaults: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that a key is made or changed with; without defaults, those that aren't given are None."""

    def option(name: str, default: object, text: str, **more: Any) -> Callable[..., Any]:
        return click.option(name, default=default if defaults else None, show_default=defaults, help=text, **more)

    options = [
        *(
            option(f"--{name.replace('_', '-')}", default, text, type=click.IntRange(0))
            for name, (default, text) in _LIMITS.items()
        ),
        option(
            "--weight", 1.0, "Share of the queue, relative to other clients.", type=click.FloatRange(0, min_open=True)
        ),
        option(
            "--for-end-users/--not-for-end-users", False,
            "The owner serves many people and names each in Riffusion-End-User: limits and weight are each one's.",
        ),
        option("--operator/--no-operator", False, "The owner may see and change everyone's jobs, models and keys."),
    ]  # fmt: skip

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for each in reversed(options):
            command = each(command)
        return command

    return decorate


@click.group()
def keys() -> None:
    """API keys: make, list, change, rotate, revoke."""


@keys.command()
@click.argument("name")
@_options(defaults=True)
@click.option("--expires", type=Duration(), help="When it becomes invalid, such as 90d; left out: never.")
@DATA
def create(*, name: str, expires: float | None, data: Path | None, **options: Any) -> None:
    """Makes a key for NAME and shows it, this once."""
    operator = Operator.open(data)
    quota = Quota(**{limit: options.pop(limit) for limit in _LIMITS})
    text, key = _store(operator).create(name, quota, **options, expires_in_s=expires)
    operator.record("key.create", key.id, name=name, operator=key.operator)
    click.echo(f"id              {key.id}")
    click.echo(f"key             {text}")
    click.echo(f"webhook secret  {key.webhook_secret}")
    click.echo("Keep the key and the secret now: they are not shown again.", err=True)


@keys.command("list")
@JSON
@DATA
def show(*, as_json: bool, data: Path | None) -> None:
    """Lists the keys there are."""
    found = _store(Operator.open(data)).list()
    if not found:
        echo_note("There are no keys.")
    if as_json:
        for key in found:
            echo_json(_as_json(key))
        return
    echo_table(("ID", "MADE (UTC)", "EXPIRES", "A MINUTE", "IN FLIGHT", "WEIGHT", "FOR", "NAME"), map(_row, found))


@keys.command("set")
@KEY
@_options(defaults=False)
@click.option("--name", help="For people.")
@click.option("--expires", type=Duration(), help="When it becomes invalid, from now.")
@click.option("--never-expires", is_flag=True, help="It doesn't any more.")
@DATA
def change(*, key_id: str, expires: float | None, never_expires: bool, data: Path | None, **options: Any) -> None:
    """Changes the key of this ID.

    What isn't given stays as it is.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if expires is not None and never_expires:
        raise click.UsageError("Give --expires or --never-expires.")
    if not given and expires is None and not never_expires:
        raise click.UsageError("Give what to change.")
    limits = {name: given.pop(name) for name in _LIMITS if name in given}
    operator = Operator.open(data)
    _store(operator).require(key_id)
    if never_expires or expires is not None:
        operator.record("key.set", key_id, expires_in_s=expires)
        _store(operator).expire_in(key_id, expires)
    if given or limits:
        operator.record("key.set", key_id, **given, **limits)
        _store(operator).change(key_id, lambda key: replace(key, quota=replace(key.quota, **limits), **given))


@keys.command()
@KEY
@OVERLAP
@DATA
def rotate(key_id: str, overlap: float, data: Path | None) -> None:
    """A new secret for a key, shown this once.

    What the key of this ID owns stays its own.
    """
    operator = Operator.open(data)
    _store(operator).require(key_id)
    operator.record("key.rotate", key_id, overlap_s=overlap)
    text, _ = _store(operator).rotate(key_id, overlap)
    click.echo(f"key  {text}")
    click.echo("Keep the key now: it is not shown again.", err=True)


@keys.command("rotate-webhook-secret")
@KEY
@OVERLAP
@DATA
def rotate_webhook_secret(key_id: str, overlap: float, data: Path | None) -> None:
    """A new webhook secret, shown this once.

    Webhooks of the key of this ID are signed with both for a while.
    """
    operator = Operator.open(data)
    _store(operator).require(key_id)
    operator.record("key.rotate_webhook_secret", key_id, overlap_s=overlap)
    key = _store(operator).rotate_webhook_secret(key_id, overlap)
    click.echo(f"webhook secret  {key.webhook_secret}")
    click.echo("Keep the secret now: it is not shown again.", err=True)


@keys.command()
@KEY
@click.option("--to", "heir_id", metavar="ID", help="Key to which its jobs, uploads and batches are left.")
@click.option("--delete-data", is_flag=True, help="Delete its jobs, uploads and batches.")
@DATA
def revoke(*, key_id: str, heir_id: str | None, delete_data: bool, data: Path | None) -> None:
    """Ends the key of this ID at once.

    What it owns can be left to another key or deleted, also later; otherwise no one can read it, until it expires.
    """
    if heir_id is not None and delete_data:
        raise click.UsageError("Give --to or --delete-data.")
    if heir_id == key_id:
        raise click.UsageError("A key can't be its own heir.")
    operator = Operator.open(data)
    store, owned = _store(operator), KeyData(operator.redis, operator.settings)
    heir = store.require(heir_id) if heir_id is not None else None
    if store.get(key_id) is not None or not owned.count(key_id):
        store.require(key_id)
        operator.record("key.revoke", key_id)
        store.revoke(key_id)
    left = owned.count(key_id)
    if not left:
        echo_note("It owned no jobs, uploads or batches.")
    elif heir is not None:
        operator.record("key.leave", key_id, to=heir.id)
        _report(owned.leave(key_id, heir), f"left to {heir.id}")
    elif delete_data:
        operator.record("key.delete_data", key_id)
        _report(owned.delete(key_id), "deleted")
    else:
        _report(left, "stay, unreadable: `revoke` it again with --to or --delete-data to change that")


def _report(owned: Owned, what: str) -> None:
    click.echo(f"{owned} {what}", err=True)


def _store(operator: Operator) -> KeyStore:
    return KeyStore(operator.redis, operator.settings)


def _row(key: Key) -> tuple[str, ...]:
    scopes = [name for name, is_so in (("operator", key.operator), ("end users", key.for_end_users)) if is_so]
    quota, expires = key.quota, timestamp(key.expires_at)
    return (
        key.id, timestamp(key.created_at), expires, str(quota.creates_per_minute), str(quota.jobs_in_flight),
        f"{key.weight:g}", ", ".join(scopes) or "-", key.name,
    )  # fmt: skip


def _as_json(key: Key) -> dict[str, Any]:
    """The record without its secrets, and until when the ones before are valid."""
    fields = asdict(key)
    for name in ("digest", "webhook_secret"):
        del fields[name]
    for name in ("replaced", "replaced_webhook_secret"):
        before = fields.pop(name)
        fields[f"{name}_until"] = before and before["until"]
    return fields
