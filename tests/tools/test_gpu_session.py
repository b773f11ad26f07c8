"""A session on a GPU: what is done is skipped, what was stopped is run again, and without CUDA it says so."""

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

FILE = Path(__file__).parents[2] / "tools" / "gpu_session.py"
PROGRAM = runpy.run_path(str(FILE))
Piece, pieces, work_off = PROGRAM["Piece"], PROGRAM["pieces"], PROGRAM["work_off"]
STOP_S = 2 * PROGRAM["STOP_S"]  # kept free for stopping a piece

COUNT = "import sys; open(sys.argv[1], 'a').write('.')"
# A training: it counts on from its file, and never ends by itself before it has counted to two.
TRAIN = """
import pathlib, sys, time
state = pathlib.Path(sys.argv[1])
state.write_text(state.read_text() + "." if state.exists() else ".")
while len(state.read_text()) < 2: time.sleep(0.01)
"""


def counting(path: Path, name: str = "counting") -> Any:
    return Piece(name, ("-c", COUNT, str(path)), 0)


def test_a_finished_piece_is_skipped(tmp_path: Path) -> None:
    piece = counting(tmp_path / "count")
    assert work_off([piece], tmp_path, STOP_S + 60)
    assert work_off([piece], tmp_path, STOP_S + 60)
    assert (tmp_path / "count").read_text() == "."
    assert (tmp_path / "counting.json").exists()


def test_a_stopped_piece_resumes_and_what_it_made_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, results = tmp_path / "state", tmp_path / "results"
    results.mkdir()
    piece = Piece("training", ("-c", TRAIN, str(state)), 0, (state,))
    assert not work_off([piece], results, STOP_S + 5)
    assert "training: stopped" in capsys.readouterr().out
    assert (results / "training" / "state").read_text() == "."
    assert work_off([piece], results, STOP_S + 60)
    assert (results / "training" / "state").read_text() == ".."


def test_a_failed_piece_is_named_and_the_next_one_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    failing = Piece("failing", ("-c", "raise SystemExit('no soundfont')"), 0)
    assert not work_off([failing, counting(tmp_path / "count")], tmp_path, STOP_S + 60)
    assert "failing: failed with 1: no soundfont" in capsys.readouterr().out
    assert (tmp_path / "count").exists()
    assert not work_off([failing], tmp_path, STOP_S + 60)
    assert not capsys.readouterr().out  # a GPU's time isn't spent on it again unasked


def test_what_takes_longer_than_the_time_left_is_not_started(tmp_path: Path) -> None:
    assert not work_off([Piece("long", ("-c", "raise SystemExit(1)"), 61)], tmp_path, STOP_S + 60)
    assert not (tmp_path / "long.log").exists()


def test_large_files_stay_where_they_are(tmp_path: Path) -> None:
    made = tmp_path / "model"
    made.mkdir()
    (made / "small").write_text("small")
    (made / "large").write_bytes(bytes(PROGRAM["LARGEST"] + 1))
    assert work_off([Piece("export", ("-c", ""), 0, (made,))], tmp_path, STOP_S + 60)
    assert [path.name for path in (tmp_path / "export" / "model").iterdir()] == ["small"]


def test_each_piece_fits_a_call_and_its_programs_exist() -> None:
    assert all(piece.least_s <= 9 * 60 - STOP_S for piece in pieces(Path("work")))
    for piece in pieces(Path("work")):
        for argument in piece.arguments:
            assert not argument.startswith(("bench/", "tests/")) or (FILE.parents[1] / argument).exists(), argument


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is CUDA here")
def test_without_cuda_it_says_so_and_lists_its_pieces(tmp_path: Path) -> None:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, str(FILE), str(tmp_path / "results"), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = run()
    assert refused.returncode == 1
    assert "needs CUDA" in refused.stderr
    assert not (tmp_path / "results").exists()
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "bench-gpu.json").write_text('{"outcome": "done"}')
    assert run("--list").stdout.splitlines()[:2] == ["cuda-tests: left", "bench-gpu: done"]
