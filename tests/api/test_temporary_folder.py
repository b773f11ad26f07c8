"""The folder of temporary files: after a kill it is deleted by the next start, and no other folder is."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api import temporary_folder
from tests.api.conftest import serve
from tests.conftest import ValkeyServer, wait_until

HOLD = "import os; from api.temporary_folder import make_folder; print(make_folder(), flush=True); os.fork() or input()"
UPLOAD = (
    b"POST /uploads HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    b"Content-Length: 9999999\r\n\r\n--b\r\nContent-Disposition: form-data; name=file; filename=x\r\n\r\n"
)


def folders(under: Path) -> set[Path]:
    return set(under.glob(f"{temporary_folder.PREFIX}*"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's folder of temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def held(here: Path) -> Iterator[Path]:
    """A folder locked by a process that was forked from the one that made it, which has ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], env={**os.environ, "TMPDIR": str(here)}, cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    process.wait(60)
    yield folder
    process.communicate("\n")


def test_only_unlocked_folders_are_removed(here: Path, held: Path) -> None:
    left = here / f"{temporary_folder.PREFIX}left"
    (left / "metrics").mkdir(parents=True)
    made = temporary_folder.make_folder()
    assert folders(here) == {held, made}
    assert made.stat().st_mode & 0o777 == 0o700


def test_links_and_files_by_such_a_name_are_left_alone(here: Path) -> None:
    precious = here / "precious"
    precious.mkdir()
    link, file = here / f"{temporary_folder.PREFIX}link", here / f"{temporary_folder.PREFIX}file"
    link.symlink_to(precious)
    file.write_text("a file")
    os.mkfifo(here / f"{temporary_folder.PREFIX}pipe")  # whose opening would block
    temporary_folder.make_folder()
    with pytest.raises(NotADirectoryError):
        temporary_folder._lock(link)
    assert precious.exists()
    assert link.is_symlink()
    assert file.exists()


def test_another_users_folder_is_left_alone(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = here / f"{temporary_folder.PREFIX}left"
    left.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(PermissionError):
        temporary_folder.make_folder()  # which refuses its own folder, too
    assert left.exists()


def test_a_new_folder_that_another_server_removes_is_made_again(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def hold(folder: Path) -> int:
        made.append(folder)
        if len(made) == 1:
            shutil.rmtree(folder)
        elif len(made) == 2:
            raise BlockingIOError
        return 0

    monkeypatch.setattr(temporary_folder, "_lock", hold)
    assert temporary_folder.make_folder() == made[2]


def free(folder: Path) -> bool:
    try:
        os.close(temporary_folder._lock(folder))
    except BlockingIOError:
        return False
    return True


def test_a_killed_servers_files_are_deleted_at_the_next_start(valkey: ValkeyServer, tmp_path: Path) -> None:
    with serve(valkey, tmp_path, status=-signal.SIGKILL) as server:
        address = urlsplit(server.url)
        with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
            connection.sendall(UPLOAD + b"x" * 200_000)
            [folder] = folders(tmp_path)
            wait_until(lambda: list(folder.glob("riffusion-upload-*")))
            assert list((folder / "metrics").glob("*.db"))
            server.process.kill()
            wait_until(lambda: free(folder))  # its workers notice, and end
    assert folder.exists()
    with serve(valkey, tmp_path):
        assert len(folders(tmp_path) - {folder}) == 1
        assert not folder.exists()
    assert not folders(tmp_path)
