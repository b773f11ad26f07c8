"""`riffusion clips`: published clips, visitors' reports of them; take down, restore, dismiss reports."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from riffusion.cli.operators import JSON, Operator, echo_json, echo_line, echo_note, echo_table, timestamp
from riffusion.cli.serve import DATA
from riffusion.jobs.gallery import ClipIndex, ListedClip
from riffusion.jobs.moderation import Moderation
from riffusion.requests import title, untitled

_SHARE = re.compile(r"(?:.*/clips/)?([A-Za-z0-9_-]{1,64})(?:/embed|\.json)?/?")


class ShareId(click.ParamType):  # type: ignore[type-arg]  # generic in later versions of click only
    """A share id, or the address of the clip's page."""

    name = "clip"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The share id."""
        found = _SHARE.fullmatch(value.partition("?")[0].partition("#")[0])
        if found is None:
            self.fail(f"{value} is neither a share id nor the address of a clip's page.", param, ctx)
        return found[1]


CLIP = click.argument("clip", type=ShareId())
NAMES_A_CLIP = {"ignore_unknown_options": True}  # a share id may begin with a dash
LIMIT = click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Clips at most.")


@click.group()
def clips() -> None:
    """Published clips, by share id or the address of their pages."""


@clips.command("list")
@click.option("--listed", "which", flag_value="listed", help="Only those in the gallery.")
@click.option("--taken-down", "which", flag_value="taken down", help="What was taken down, also what has expired.")
@LIMIT
@JSON
@DATA
def list_clips(*, which: str | None, limit: int, as_json: bool, data: Path | None) -> None:
    """Published clips, newest first."""
    moderation = _open(data)[1]
    if which != "taken down":
        _show_clips(moderation.clips.each(ClipIndex.GALLERY if which else ClipIndex.PUBLISHED), limit, as_json=as_json)
        return
    found = list(itertools.islice(moderation.takedowns.all(), limit + 1))
    if as_json:
        for each in found[:limit]:
            echo_json(asdict(each))
    else:
        rows = ((each.share_id or each.digest, timestamp(each.at), each.by, each.reason) for each in found[:limit])
        echo_table(("CLIP", "SINCE (UTC)", "BY", "REASON"), rows)
    _note(len(found), limit)


@clips.command()
@LIMIT
@JSON
@DATA
def reports(*, limit: int, as_json: bool, data: Path | None) -> None:
    """Clips that visitors have reported, the latest report first.

    A clip leaves this list when it is taken down, or its reports are dismissed.
    """
    _show_clips(_open(data)[1].clips.each(ClipIndex.REPORTED), limit, as_json=as_json)


@clips.command(context_settings=NAMES_A_CLIP)
@CLIP
@click.option("--reason", required=True, help="Why; visitors and the publisher read it.")
@DATA
def takedown(*, clip: str, reason: str, data: Path | None) -> None:
    """Takes CLIP down for everybody.

    Its page, its files' addresses and its players in other sites respond with 410, it leaves the gallery, and neither
    it nor the same clip made again can be published. Its maker keeps the job. `restore` takes that back.
    """
    operator, moderation = _open(data)
    target = moderation.find(clip)
    operator.record("clip.takedown", clip, reason=reason, job=target.job_id)
    moderation.take_down(target, reason, operator.actor)
    hours = operator.settings.url_ttl_s / 3600
    echo_note(
        f"Links to its files that were handed out before work for {hours:g} h at most; "
        f"`riffusion jobs purge {target.job_id}` deletes the files now, for its maker, too."
    )


@clips.command(context_settings=NAMES_A_CLIP)
@CLIP
@DATA
def restore(*, clip: str, data: Path | None) -> None:
    """Ends the take-down of CLIP.

    Its page is there again, for as long as the clip is kept, and so is its place in the gallery.
    """
    operator, moderation = _open(data)
    target = moderation.find_taken_down(clip)
    operator.record("clip.restore", clip)
    moderation.takedowns.restore(target)


@clips.command(context_settings=NAMES_A_CLIP)
@CLIP
@DATA
def dismiss(*, clip: str, data: Path | None) -> None:
    """Takes CLIP off the list of reports: nothing is wrong with it.

    It comes back onto the list when somebody else reports it.
    """
    operator, moderation = _open(data)
    moderation.find(clip)
    operator.record("clip.dismiss", clip)
    if not moderation.reports.dismiss(clip):
        echo_note("It had no reports.")


def _open(data: Path | None) -> tuple[Operator, Moderation]:
    operator = Operator.open(data)
    return operator, Moderation(operator.redis, operator.settings)


def _show_clips(clips: Iterable[ListedClip], limit: int, *, as_json: bool) -> None:
    found = list(itertools.islice(clips, limit + 1))
    if as_json:
        for each in found[:limit]:
            echo_json(_clip_json(each))
    else:
        echo_table(("CLIP", "AT (UTC)", "STATE", "REPORTS", "CLIENT", "TITLE"), map(_clip_row, found[:limit]))
        for each in found[:limit]:
            for details in each.reports.details:
                echo_line(f"{each.share_id}  “{details}”")
    _note(len(found), limit)


def _note(found: int, limit: int) -> None:
    if not found:
        echo_note("There are none.")
    if found > limit:
        echo_note(f"{limit} of more; --limit N shows more.")


def _clip_row(clip: ListedClip) -> tuple[str, ...]:
    state = "taken down" if clip.takedown else "listed" if clip.listed else "unlisted"
    reasons = ", ".join(f"{count} {reason}" for reason, count in clip.reports.reasons.items()) or "-"
    return clip.share_id, timestamp(clip.at), state, reasons, clip.record.tenant, _title(clip)[:60]


def _clip_json(clip: ListedClip) -> dict[str, object]:
    return {
        "id": clip.share_id, "at": clip.at, "job": clip.record.id, "client": clip.record.tenant, "title": _title(clip),
        "listed": clip.listed, "takedown": clip.takedown, "reports": asdict(clip.reports),
    }  # fmt: skip


def _title(clip: ListedClip) -> str:
    return title(clip.record.request) or untitled(clip.record.mode)
