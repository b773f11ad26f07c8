"""The check of words finds what was replaced in names and prose, and lets servers answer."""

import runpy
from pathlib import Path

import pytest

PROGRAM = runpy.run_path(str(Path(__file__).parents[2] / "tools" / "check_words.py"))
found_in, main = PROGRAM["found_in"], PROGRAM["main"]


@pytest.mark.parametrize(
    "line",
    [
        "# The heartbeat thread tells the store.",
        "def was_told() -> bool:",
        "const tellWorker = 1;",
        "PATIENCE_S = 10",
        'import { Workshop } from "./workshop.js";',
        "    def calm(self, jamRoom):",
        "It can't be had.",
        "another process makes up for it",
        '"""Queues a row and answers at once."""',
        "answer = compute()",
    ],
)
def test_a_replaced_word_is_found(line: str) -> None:
    assert found_in(line)


@pytest.mark.parametrize(
    "line",
    [
        "The API answers 202.",
        "A job answered with 202 ends once.",
        "Redis doesn't answer.",
        "assert answer.headers['ETag']",
        "intelligent, renewal, deskew, astray, foretold",
        "size = stream.tell()",
        "a brush stroke",
    ],
)
def test_other_words_pass(line: str) -> None:
    assert found_in(line) is None


def test_the_place_and_the_remedy_are_named(tmp_path: Path) -> None:
    page, picture = tmp_path / "page.md", tmp_path / "picture.png"
    page.write_text("Fine.\nMade anew.\n")
    picture.write_bytes(b"told\xff")
    assert main([str(page), str(picture)]) == f"{page}:2: “anew”: again"
    assert main([str(picture)]) == ""
