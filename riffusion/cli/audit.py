"""`riffusion audit`: what operators have done."""

import json
from dataclasses import asdict
from pathlib import Path

import click

from riffusion.cli.operators import JSON, Operator, echo_json, echo_note, echo_table, timestamp
from riffusion.cli.serve import DATA
from riffusion.jobs.audit import ENTRY_ID, AuditLog


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Entries at most.")
@click.option("--before", metavar="ID", help="Only entries older than this one, to page back.")
@JSON
@DATA
def audit(*, limit: int, before: str | None, as_json: bool, data: Path | None) -> None:
    """What operators have done, newest first: when, who, what, to what."""
    if before is not None and not ENTRY_ID.fullmatch(before):
        raise click.UsageError(f"{before} is not an entry's ID.")
    operator = Operator.open(data)
    found = AuditLog(operator.redis, operator.settings).read(limit + 1, before)
    entries = found[:limit]
    if not found:
        echo_note("There are no entries.")
    if len(found) > limit:
        echo_note(f"{limit} of more; --before {entries[-1].id} shows the next, --limit N more at once.")
    if as_json:
        for entry in entries:
            echo_json(asdict(entry))
        return
    echo_table(
        ("ID", "TIME (UTC)", "WHO", "ACTION", "TARGET", "DETAILS"),
        (
            (each.id, timestamp(each.at), each.actor, each.action, each.target or "-", _details(each.details))
            for each in entries
        ),
    )


def _details(details: object) -> str:
    return json.dumps(details, ensure_ascii=False) if details else ""
