"""`riffusion reconcile`: records and files compared, after a restore."""

from dataclasses import asdict
from pathlib import Path

import click

from riffusion.cli.operators import JSON, Operator, echo_json, echo_line, echo_note
from riffusion.cli.serve import DATA
from riffusion.jobs.reconcile import UNRELATED, Reconciliation, Report, Tally
from riffusion.jobs.redis_url import read_url
from riffusion.storage import open_storage


@click.command()
@click.option("--erase-again", is_flag=True, help="Delete again what was deleted on request and came back.")
@click.option("--delete-orphans", is_flag=True, help="Delete files without a record.")
@click.option("--mark-lost", is_flag=True, help="Have clients of jobs whose files are gone notified (410 result_lost).")
@click.option(
    "--min-age", type=click.FloatRange(60), default=3600, show_default=True,
    help="Seconds; files without a record that are younger are left alone.",
)  # fmt: skip
@click.option("--even-all", is_flag=True, help="Also where not one file belongs to a record.")
@JSON
@DATA
def reconcile(
    *, erase_again: bool, delete_orphans: bool, mark_lost: bool, min_age: float, even_all: bool, as_json: bool,
    data: Path | None,
) -> None:  # fmt: skip
    """Compares records with files both ways, and changes nothing unless it is asked to.

    After a restore, run it with --erase-again before the API starts, and with the rest when the service runs.
    """
    operator = Operator.open(data)
    asked = {"erase_again": erase_again, "delete_orphans": delete_orphans, "mark_lost": mark_lost}
    if any(asked.values()):
        operator.record("storage.reconcile", "", **asked, min_age=min_age, even_all=even_all)
    files = open_storage(operator.settings)
    echo_note(f"Redis    {read_url(operator.settings.redis_url).shown}")
    echo_note(f"storage  {files.shown}")
    reconciliation = Reconciliation(operator.redis, files, operator.settings, min_age_s=min_age, even_all=even_all)
    report = reconciliation.run(**asked)
    if report.unrelated:
        echo_note(UNRELATED)
    if as_json:
        echo_json(asdict(report))
    else:
        _show(report, asked)


def _show(report: Report, asked: dict[str, bool]) -> None:
    def line(name: str, tally: Tally, action: str | None = None) -> None:
        done = f"; {action}" if action and tally.count else ""
        size = f", {tally.bytes / 2**20:.1f} MiB" if tally.bytes else ""
        click.echo(f"{name:<44} {tally.count}{size}{done}")
        for example in tally.examples if action else ():
            echo_line(f"    {example}")

    def action(name: str, done: str) -> str:
        return done if asked[name] else f"--{name.replace('_', '-')} changes that"

    line("files of records", report.known)
    line("deleted on request, and there again", report.returned, action("erase_again", "deleted again"))
    line("files without a record", report.orphans, action("delete_orphans", "deleted"))
    line("files without a record, too young to be sure", report.young)
    line("files that this service doesn't store", report.foreign)
    line("jobs whose files are gone", report.lost_jobs, action("mark_lost", "marked"))
    line("uploads whose files are gone", report.lost_uploads, action("mark_lost", "deleted"))
    if report.lost_by_client:
        click.echo(f"of these jobs, {report.lost_clips} were published; jobs and uploads by client:")
        for client, count in sorted(report.lost_by_client.items(), key=lambda item: -item[1])[:20]:
            echo_line(f"    {client}  {count}")
