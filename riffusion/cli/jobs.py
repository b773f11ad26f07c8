"""`riffusion jobs`: everyone's jobs, as the operator finds, cancels, requeues and purges them."""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click

from riffusion.cli.operators import (
    JSON,
    Duration,
    Operator,
    confirm,
    echo_json,
    echo_line,
    echo_note,
    echo_table,
    timestamp,
)
from riffusion.cli.serve import DATA
from riffusion.cli.trouble import echo_trouble
from riffusion.errors import CODES, RequestError
from riffusion.jobs.job_actions import JobAction, JobActions
from riffusion.jobs.record import JobRecord, JobStatus
from riffusion.jobs.search import JobFilter, JobSearch
from riffusion.jobs.store import JobStore
from riffusion.jobs.timeline import timeline

IDS = click.argument("job_ids", metavar="[ID]...", nargs=-1)
DRY_RUN = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
YES = click.option("--yes", is_flag=True, help="Don't ask before working on all jobs that match.")


def _filtered(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of a JobFilter."""
    statuses = [str(status) for status in JobStatus]
    options = (
        click.option("--status", type=click.Choice(statuses), help="Only jobs of this status."),
        click.option("--model", help="Only jobs for this model."),
        click.option("--client", help="Only jobs of address:ADDRESS, key:ID or key:ID/END-USER."),
        click.option("--key", metavar="ID", help="Only jobs of this key and its end users."),
        click.option("--error", metavar="CODE", type=click.Choice(CODES), help="Only jobs that failed by this error."),
        click.option("--newer", type=Duration(), help="Only jobs accepted within this time, such as 15m, 2h or 1d."),
        click.option("--older", type=Duration(), help="Only jobs accepted before that."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _search(
    operator: Operator, *, status: str | None, newer: float | None, older: float | None, **fields: Any
) -> Iterator[JobRecord]:
    """The jobs that match the options, newest first.

    Raises:
        NotFound: there is no such model.
    """
    search, now = JobSearch(operator.redis, operator.settings), operator.now()
    if fields["model"] is not None:
        search.require_model(fields["model"])
    return search.all(
        JobFilter(
            status=None if status is None else JobStatus(status),
            since=None if newer is None else now - newer,
            before=None if older is None else now - older,
            **fields,
        )
    )


@click.group()
def jobs() -> None:
    """Everyone's jobs: list, show, cancel, requeue, purge."""


@jobs.command("list")
@_filtered
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Jobs at most.")
@JSON
@DATA
def list_jobs(*, limit: int, as_json: bool, data: Path | None, **options: Any) -> None:
    """Jobs, newest first."""
    found = list(itertools.islice(_search(Operator.open(data), **options), limit + 1))
    shown = found[:limit]
    if as_json:
        for record in shown:
            echo_json(_as_json(record))
    else:
        heads = ("ID", "ACCEPTED (UTC)", "STATUS", "MODEL", "CLIENT", "ATTEMPTS", "ERROR")
        echo_table(heads, map(_row, shown))
    if not found:
        echo_note("No jobs match.")
    if len(found) > limit:
        echo_note(f"{limit} of more; --limit N shows more.")


@jobs.command()
@click.argument("job_id", metavar="ID")
@JSON
@DATA
def show(*, job_id: str, as_json: bool, data: Path | None) -> None:
    """All about one job: its request and its timeline."""
    operator = Operator.open(data)
    record, place = JobStore(operator.redis, operator.settings).get_with_place(job_id)
    steps = timeline(record, operator.settings.result_ttl_s)
    if as_json:
        echo_json(_as_json(record) | {"queue": asdict(place) if place else None, "timeline": list(map(asdict, steps))})
        return
    for name, value in _about(record).items():
        echo_line(f"{name:<10}{value}")
    if place is not None:
        eta = "" if place.eta_s is None else f", about {place.eta_s:.0f} s"
        paused = f"; model {record.model} is paused: it waits until that is over" if place.paused else ""
        echo_line(f"{'queue':<10}{place.position} before it{eta}{paused}")
    click.echo()
    echo_table(("TIME (UTC)", "EVENT", ""), ((timestamp(step.at), step.event, step.detail) for step in steps))


@jobs.command()
@IDS
@_filtered
@DRY_RUN
@YES
@DATA
def cancel(**arguments: Any) -> None:
    """Ends jobs that wait or run.

    Those of these IDs, or all that match.
    """
    _each(JobAction.CANCEL, **arguments)


@jobs.command()
@IDS
@_filtered
@DRY_RUN
@YES
@DATA
def requeue(**arguments: Any) -> None:
    """Has failed jobs run again.

    Those of these IDs, or all that match. A job keeps its id, its request and its seed, and gets new deadlines and
    attempts.
    """
    _each(JobAction.REQUEUE, **arguments)


@jobs.command()
@IDS
@_filtered
@DRY_RUN
@YES
@DATA
def purge(**arguments: Any) -> None:
    """Deletes jobs with their files.

    Those of these IDs, or all that match; one that hasn't ended is canceled. A running API or worker deletes the files,
    within a minute.
    """
    _each(JobAction.PURGE, **arguments)


def _each(
    action: JobAction,
    *,
    job_ids: Sequence[str],
    dry_run: bool,
    yes: bool,
    data: Path | None,
    **options: Any,
) -> None:
    """Acts on the jobs of these ids, or on those that match, and prints each; exits with 1 if one failed."""
    given = {name: value for name, value in options.items() if value is not None}
    if bool(job_ids) == bool(given):
        raise click.UsageError("Give IDs, or options that jobs must match.")
    operator = Operator.open(data)
    if given:
        job_ids = [record.id for record in _search(operator, **options) if action.concerns(record)]
        if not job_ids:
            echo_note(f"No jobs to {action} match.")
            return
    if given and not dry_run:
        confirm(f"{action} {len(job_ids)} jobs?", yes=yes)
        operator.record(f"job.{action}", "", count=len(job_ids), **_details(given))
    actions = JobActions(operator.redis, operator.settings)

    def act_on_one(job_id: str) -> None:
        actions.check(action, job_id)
        operator.record(f"job.{action}", job_id)
        actions.run(action, job_id)

    act = partial(actions.check if dry_run else actions.run, action)
    failures = _failures(act if dry_run or given else act_on_one, job_ids)
    if dry_run:
        echo_note(f"{len(job_ids) - failures} jobs; nothing was done.")
    if failures:
        click.get_current_context().exit(1)


def _details(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options for the audit log; durations, which are numbers, by names with their unit."""
    return {f"{name}_s" if isinstance(value, int | float) else name: value for name, value in given.items()}


def _failures(act: Callable[[str], None], job_ids: Sequence[str]) -> int:
    """Acts on each job. What can't be done to one is reported and counted; a full queue or an outage ends it all."""
    failures = 0
    for job_id in job_ids:
        try:
            act(job_id)
            click.echo(job_id)
        except RequestError as error:
            failures += 1
            echo_trouble(error)
    return failures


def _row(record: JobRecord) -> tuple[str, ...]:
    error = record.error.code if record.error else ""
    accepted = timestamp(record.created_at)
    return record.id, accepted, str(record.status), record.model, record.tenant, str(record.attempts), error


def _about(record: JobRecord) -> dict[str, object]:
    about = {
        "id": record.id, "status": record.status, "mode": record.mode, "model": record.model, "client": record.tenant,
        "attempts": record.attempts, "cost": f"{record.cost:g}",
        "request": json.dumps(record.request, ensure_ascii=False),
    }  # fmt: skip
    if record.webhook:
        about["webhook"] = (
            f"{record.webhook.state}, {record.webhook.attempts} tries, {record.webhook.error or 'no error'}"
        )
    return about


def _as_json(record: JobRecord) -> dict[str, Any]:
    """The record; a tenant is called client, as over HTTP."""
    fields = asdict(record)
    return {"client": fields.pop("tenant"), **fields}
