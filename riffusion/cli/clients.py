"""`riffusion clients`: what a client has; block, unblock, purge."""

import hashlib
from dataclasses import asdict
from pathlib import Path

import click

from api.ip_networks import client_named
from riffusion.cli.operators import JSON, Operator, confirm, echo_json, echo_line, echo_note, echo_table, timestamp
from riffusion.cli.serve import DATA
from riffusion.errors import NotFound
from riffusion.jobs.clients import MAX_HOURS, Block, ClientDirectory, ClientView, block_seconds
from riffusion.jobs.purge import Purge
from riffusion.jobs.tenants import Quota
from riffusion.storage import open_storage


class ClientName(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click only
    """`key:<id>`, `key:<id>/<end user>`, `address:<address or network>`, or an address alone."""

    name = "client"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name as records have it."""
        try:
            return client_named(value)
        except ValueError:
            self.fail(
                f"{value} isn't key:<id>, key:<id>/<end user>, an address, or an IPv6 /64, /56 or /48.", param, ctx
            )


CLIENT = click.argument("client", type=ClientName())


@click.group()
def clients() -> None:
    """Clients: a key (key:<id>), an end user of one (key:<id>/<end user>), or an address."""


@clients.command()
@click.argument("client", type=ClientName(), required=False)
@JSON
@DATA
def show(*, client: str | None, as_json: bool, data: Path | None) -> None:
    """What CLIENT has, or who is blocked.

    What CLIENT has and may do; without one, the clients that are blocked.
    """
    operator = Operator.open(data)
    directory = ClientDirectory(operator.redis, operator.settings)
    if client is not None:
        _show_one(client, directory.show(client), as_json=as_json)
        return
    blocks = directory.blocks()
    if not blocks:
        echo_note("No client is blocked.")
    if as_json:
        for each in blocks:
            echo_json(asdict(each))
    else:
        rows = ((each.client, _until(each), each.by, timestamp(each.at), each.reason) for each in blocks)
        echo_table(("CLIENT", "UNTIL", "BY", "SINCE (UTC)", "REASON"), rows)


@clients.command()
@CLIENT
@click.option("--reason", required=True, help="Why; the client reads it.")
@click.option(
    "--hours", type=click.FloatRange(0, MAX_HOURS, min_open=True), help="For how long; otherwise until unblocked."
)
@DATA
def block(*, client: str, reason: str, hours: float | None, data: Path | None) -> None:
    """Lets CLIENT create nothing more.

    Every request that would create something is refused at once. It may still read, cancel and delete what it has; what
    runs runs on. A key includes its end users, an IPv6 network the addresses in it.
    """
    operator = Operator.open(data)
    directory = ClientDirectory(operator.redis, operator.settings)
    directory.require_key(client)
    operator.record("client.block", client, reason=reason, hours=hours)
    directory.block(client, reason, operator.actor, block_seconds(hours))


@clients.command()
@CLIENT
@DATA
def unblock(*, client: str, data: Path | None) -> None:
    """Ends the block of CLIENT."""
    operator = Operator.open(data)
    directory = ClientDirectory(operator.redis, operator.settings)
    directory.require_block(client)
    operator.record("client.unblock", client)
    directory.unblock(client)


@clients.command()
@CLIENT
@click.option("--yes", is_flag=True, help="Don't ask.")
@DATA
def purge(*, client: str, yes: bool, data: Path | None) -> None:
    """Deletes all that CLIENT has.

    That is its jobs, also those that run, files, uploads, published clips and counters. Block it first if it still
    sends requests. The key itself stays: `riffusion keys revoke`. The audit log gets a hash of the client's name.
    """
    operator = Operator.open(data)
    confirm("Delete everything that this client has?", yes=yes)
    pseudonym = f"sha256:{hashlib.sha256(client.encode()).hexdigest()[:32]}"
    operator.record("client.purge", pseudonym)
    purged = Purge(operator.redis, open_storage(operator.settings), operator.settings).run(client)
    if not (purged.jobs or purged.uploads or purged.batches or purged.tombstones):
        echo_note("Nothing here was this client's.")
    click.echo(f"deleted  {purged.jobs} jobs, {purged.uploads} uploads, {purged.batches} batches")
    click.echo(f"forgot   {purged.tombstones} jobs deleted before, {purged.idempotency_keys} idempotency keys")
    if purged.last_file_s is not None:
        click.echo(f"pending  the last files are deleted in about {purged.last_file_s:.0f} s, by the running service")
    click.echo("Logs of the API name clients until they are rotated.", err=True)


def _until(block: Block) -> str:
    return "unblocked" if block.expires_s is None else f"in {block.expires_s / 3600:.1f} h"


def _show_one(client: str, view: ClientView, *, as_json: bool) -> None:
    if view.empty:
        raise NotFound(f"There is no {client.partition('/')[0]}, nor anything left of one.")
    if as_json:
        echo_json({"client": client, **asdict(view)})
        return
    jobs = ", ".join(f"{count} {status}" for status, count in sorted(view.jobs.items())) or "none"
    limits = "none: there is no such key any more" if view.limits is None else _limits(view.limits)
    blocked = "no"
    if view.block:
        blocked = f"until {_until(view.block)}, by {view.block.by} at {timestamp(view.block.at)}: {view.block.reason}"
    for name, value in (
        ("client", client), ("jobs", jobs), ("published", view.published), ("uploads", view.uploads),
        ("batches", f"{view.batches}, with {view.held} requests that aren't jobs yet"),
        ("stored", f"{view.stored_bytes} bytes of files, {view.request_bytes} of requests"),
        ("since", timestamp(view.first_at)), ("limits", limits), ("blocked", blocked),
    ):  # fmt: skip
        echo_line(f"{name:<10} {value}")


def _limits(limits: Quota) -> str:
    return ", ".join(f"{name} {value or 'unlimited'}" for name, value in asdict(limits).items())
