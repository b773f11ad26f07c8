"""Compares records with files, both ways, as after a backup of Redis or of the storage was put back.

It may run beside the service. A folder is in Redis before its first file is stored and is never used again, so a file
that is older than the comparison and whose folder Redis doesn't know will never get a record. A record is given up only
if its file is asked for once more and isn't there, in a script that compares the result that was looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from redis import Redis

from riffusion.errors import NotFound, SetupError
from riffusion.jobs.database import TOMBSTONE_S, Database
from riffusion.jobs.erasures import FOLDER as ERASURES
from riffusion.jobs.inventory import Holding, Inventory, folder_of, in_layout
from riffusion.jobs.repeated_erasures import erase_again, find_erased
from riffusion.jobs.shares import share_keys
from riffusion.settings import Settings
from riffusion.storage import Storage, StoredFile

EXAMPLES = 10
UNRELATED = "Not one file in this storage belongs to a record of this Redis: are these the right ones?"


@dataclass
class Tally:
    """A number of things of one kind, with a few of them."""

    count: int = 0
    bytes: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, name: str, size: int = 0) -> None:
        """Counts one."""
        self.count += 1
        self.bytes += size
        if len(self.examples) < EXAMPLES:
            self.examples.append(name)


@dataclass
class Report:
    """What a comparison found, and did where it was asked to."""

    returned: Tally = field(default_factory=Tally)
    """Deleted on request, and in Redis all the same."""
    known: Tally = field(default_factory=Tally)
    """Files whose folder Redis knows."""
    orphans: Tally = field(default_factory=Tally)
    """Files without a record."""
    young: Tally = field(default_factory=Tally)
    """The same, but too young to be sure."""
    foreign: Tally = field(default_factory=Tally)
    """Files with names that this service doesn't give; they are left alone."""
    lost_jobs: Tally = field(default_factory=Tally)
    """Jobs that have succeeded and lack a file."""
    lost_uploads: Tally = field(default_factory=Tally)
    """Uploads that lack their file."""
    lost_clips: int = 0
    """Published ones among the lost jobs."""
    lost_by_client: dict[str, int] = field(default_factory=dict)
    """Client -> its lost jobs and uploads."""

    @property
    def unrelated(self) -> bool:
        """Whether there are files or records that need some, and not one file belongs to a record."""
        found = (self.orphans, self.young, self.foreign, self.lost_jobs, self.lost_uploads)
        return self.known.count == 0 and any(tally.count for tally in found)


class Reconciliation:
    """Compares one Redis with one storage. Every method raises StoreUnavailable and StorageUnavailable.

    Args:
        min_age_s: files that are younger, by the storage's clock, are not called orphans, nor younger uploads lost. It
            covers what the two clocks differ by, attempts that survived the loss of Redis, and the time in which an
            upload is stored.
        even_all: whether to delete or mark also where not one file belongs to a record.
    """

    def __init__(
        self, redis: Redis, files: Storage, settings: Settings, *, min_age_s: float, even_all: bool = False
    ) -> None:
        self._redis = redis
        self._settings = settings
        self._database = Database(redis, settings)
        self._files = files
        self._min_age_s = min_age_s
        self._even_all = even_all

    def run(self, *, erase_again: bool = False, delete_orphans: bool = False, mark_lost: bool = False) -> Report:
        """Compares, and repairs what it is asked to.

        Args:
            erase_again: delete once more what was deleted on request and came back with a backup.
            delete_orphans: delete files without a record.
            mark_lost: replace records without their files by tombstones that say so.

        Raises:
            SetupError: it should delete or mark, and not one file belongs to a record.
        """
        report = Report()
        self._repeat_erasures(report, erase_again)
        began = float(self._database.command("TIME")[0])
        known = dict.fromkeys(Inventory(self._database).folders(), 0)
        for orphan in self._compare(known, began, report):
            report.orphans.add(orphan.key, orphan.size)
        lost = list(self._lost(known, began))
        if (delete_orphans and report.orphans.count) or (mark_lost and lost):
            self._refuse_nonsense(report)
        if delete_orphans:
            self._files.delete(orphan.key for orphan in self._compare(known, began, Report()))
        for holding in lost:
            self._report_lost(holding, report, mark=mark_lost)
        return report

    def _repeat_erasures(self, report: Report, delete: bool) -> None:
        found = find_erased(self._redis, self._files, self._settings)
        for erased in found:
            report.returned.add(str(erased))
        if delete:
            erase_again(found, self._redis, self._files, self._settings)

    def _compare(self, known: dict[str, int], began: float, report: Report) -> Iterator[StoredFile]:
        """Goes through the storage, counts each known folder's files, and yields the orphans."""
        for file in self._files.scan(""):
            folder = folder_of(file.key)
            if folder in known:
                known[folder] += ".draft-" not in file.key
                report.known.add(file.key, file.size)
            elif not in_layout(file.key):
                report.foreign.add(file.key, file.size)
            elif file.modified_at > began - (TOMBSTONE_S if file.key.startswith(ERASURES) else self._min_age_s):
                report.young.add(file.key, file.size)
            else:
                yield file

    def _lost(self, known: dict[str, int], began: float) -> Iterator[Holding]:
        """The records of which a file was neither listed nor can be read.

        A job has its files before it has succeeded. The record of an upload is there before its file.
        """
        for holding in Inventory(self._database).holdings():
            if holding.kind == "upload" and holding.since > began - self._min_age_s:
                continue
            folder = folder_of(holding.keys[0]) if holding.keys else ""
            if (
                holding.keys
                and not holding.deleted
                and known.get(folder, 0) < len(holding.keys)
                and not all(map(self._is_there, holding.keys))
            ):
                yield holding

    def _is_there(self, key: str) -> bool:
        try:
            self._files.get(key)
        except NotFound:
            return False
        return True

    def _refuse_nonsense(self, report: Report) -> None:
        if report.known.count == 0 and not self._even_all:
            raise SetupError(
                f"{UNRELATED} Nothing was changed. If all files or all records are really lost, say --even-all."
            )

    def _report_lost(self, holding: Holding, report: Report, *, mark: bool) -> None:
        published = holding.kind == "job" and self._database.command("EXISTS", *share_keys(holding.id))
        if mark and holding.kind == "job" and not self._database.run("lose_job", holding.id, holding.version):
            return  # deleted or expired meanwhile
        if mark and holding.kind == "upload":
            self._database.run("delete_upload", holding.id)
        (report.lost_jobs if holding.kind == "job" else report.lost_uploads).add(holding.id)
        report.lost_clips += bool(published)
        client = holding.scopes[0]
        report.lost_by_client[client] = report.lost_by_client.get(client, 0) + 1
