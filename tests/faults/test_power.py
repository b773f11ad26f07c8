"""The power goes: what was promised is on the disk, and nothing else is counted on."""

import random
import subprocess
import sys
from pathlib import Path

import pytest

from riffusion.jobs.record import JobStatus
from tests.faults.conftest import MakeStack
from tests.faults.power import Disk, NoDisk, Power
from tests.faults.power_cuts import cut_in_the_middle_of_posts
from tests.faults.promise import wait_kept

CUTS = 4
CHANCE = random.Random()  # noqa: S311
SOUND = b"sound" * 20_000

WRITES = """
import os, sys
from pathlib import Path
folder = Path(sys.argv[1])
file = os.open(folder / "part", os.O_WRONLY | os.O_CREAT)
os.write(file, bytes(4096))
os.fsync(file)
os.write(file, bytes(40_960))
(folder / "none").write_bytes(bytes(4096))
"""

OPENS = """
import sys
from pathlib import Path
from riffusion.storage.local import LocalStorage
from riffusion.settings import Settings
files = LocalStorage(Settings(data_dir=Path(sys.argv[1]), min_free_bytes=0))
"""
STORES = f'{OPENS}files.put("results/job/1/clip.mp3", b"sound" * 20_000, "audio/mpeg")'
SIGNS = f'{OPENS}files.url("results/job/1/clip.mp3")'

WAITS = """
print("done", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    try:
        return Disk.make(tmp_path / "stack")
    except NoDisk as error:
        pytest.skip(f"a disk whose power goes is a loop device, which can't be mounted here: {error}")


def cut_after(disk: Disk, program: str, *, journal: bool, unwritten: int | None = None) -> None:
    """Cuts the power as soon as a Python program has done its work on the disk."""
    command = [*disk.prefix, sys.executable, "-c", program + WAITS, str(disk.folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"done\n"
        disk.cut(process, journal=journal, unwritten=unwritten)


def sizes(disk: Disk) -> dict[str, int]:
    """The files on the disk, and their lengths in bytes."""
    found = disk.run("find", str(disk.folder), "-type", "f", "-printf", "%P %s\n").decode().splitlines()
    return {name: int(size) for name, size in (line.split() for line in found)}


@pytest.mark.parametrize("journal", [False, True])
def test_what_is_not_synced_is_lost(disk: Disk, journal: bool) -> None:
    cut_after(disk, WRITES, journal=journal)
    assert sizes(disk) == {"part": 4096} | ({"none": 0} if journal else {})


def test_what_is_not_synced_is_kept_in_part(disk: Disk) -> None:
    cut_after(disk, WRITES, journal=True, unwritten=30_000)
    assert 4096 < sizes(disk)["part"] < 4096 + 40_960


def test_the_power_goes_in_the_middle_of_posts(make_stack: MakeStack, disk: Disk) -> None:
    stack = make_stack(*disk.prefix)
    stack.start_worker()
    figures = cut_in_the_middle_of_posts(Power(stack, disk, CHANCE), CUTS)
    assert figures.lost == [0] * CUTS
    wait_kept(stack)
    assert {stack.get(job_id).status for job_id in stack.accepted} == {JobStatus.SUCCEEDED}


def test_jobs_are_lost_when_redis_syncs_every_second(make_stack: MakeStack, disk: Disk) -> None:
    power = Power(make_stack(*disk.prefix), disk, CHANCE)
    assert any(any(cut_in_the_middle_of_posts(power, 1, "everysec").lost) for _ in range(20))


@pytest.mark.parametrize("journal", [False, True])
def test_a_stored_file_is_whole(disk: Disk, journal: bool) -> None:
    cut_after(disk, STORES, journal=journal)
    assert disk.run("cat", f"{disk.folder}/files/results/job/1/clip.mp3") == SOUND


@pytest.mark.parametrize("journal", [False, True])
def test_links_stay_valid(disk: Disk, journal: bool) -> None:
    cut_after(disk, SIGNS, journal=journal)
    assert sizes(disk) == {"secret_key": 64}
