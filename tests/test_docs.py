"""Links and paths in the documentation exist; decisions have their form and are in the index."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCS = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("docs/decisions/*.md"), *ROOT.glob("clients/*/*.md")]
DECISIONS = sorted(ROOT.glob("docs/decisions/0*.md"))
FILES = [
    str(path) for folder in ("api", "riffusion", "tests", "web", "worker") for path in (ROOT / folder).rglob("*.*")
]
INDEX = ROOT / "docs" / "decisions" / "README.md"
FORM = re.compile(
    r"# (?P<number>\d{4}) (?P<title>[^\n]+[^.\n])\n\nStatus: (?P<status>[^\n].*?)\n\n"
    r"## Context\n\n.+\n\n## Decision\n\n.+\n\n## Consequences\n\n.+\n",
    re.DOTALL,
)
PATH = re.compile(
    r"`((?:api|bench|deploy|docs|locks|riffusion|tests|tools|web|worker)/[\w./-]*|[\w./-]+\.(?:py|js|lua))`"
)


def anchors(page: Path) -> set[str]:
    """What `#…` may name in a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_exist(page: Path) -> None:
    text = page.read_text()
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in link or "…" in link:
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link
    for path in PATH.findall(text):
        assert (ROOT / path).exists() or any(file.endswith(f"/{path}") for file in FILES), path


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.name)
def test_a_decision_has_the_form_and_is_in_the_index(record: Path) -> None:
    found = FORM.fullmatch(record.read_text())
    assert found, "see docs/decisions/README.md"
    assert record.name.startswith(f"{found['number']}-")
    row = re.search(rf"^\| \[{found['number']}\]\({record.name}\) \| (.*) \| (.*) \|$", INDEX.read_text(), re.MULTILINE)
    assert row
    assert row[1] == found["title"]
    # What overtook a decision is named in its status and in the index, and names it back.
    status = found["status"].lower()
    overtaken = status[status.index("superseded") :] if "superseded" in status else ""
    later = re.findall(r"\[(\d{4})\]", overtaken)
    assert re.findall(r"\d{4}", row[2]) == later
    for number in later:
        (by,) = (each for each in DECISIONS if each.name.startswith(number))
        assert f"[{found['number']}]" in by.read_text(), by.name
