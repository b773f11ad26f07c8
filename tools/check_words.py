"""Finds words that the field's have replaced, in all tracked files or those named: `python tools/check_words.py`.

Comments, names and prose are searched alike; `camelCase` and `snake_case` count as separate words.
"""

import re
import subprocess
import sys
from pathlib import Path

SUFFIXES = {".css", ".html", ".js", ".lua", ".md", ".py", ".toml", ".ts"}
OWN = {"check_words.py", "test_check_words.py"}  # they name the words
INSTEAD = {
    r"(?<![a-z]\.)tells?|told": "says, reports, returns; is passed, receives",
    r"anew": "again",
    r"sung": "re-rendered",
    r"(go|goes|gone|going) on with": "continue, resume",
    r"(give|gives|given) up on": "abandon",
    r"(make|makes|made) up for": "repeat, replace",
    r"can ?(no|')t be had": "not found, download failed",
    r"mended": "fixed",
    r"whoever": "anyone who, the client that",
    r"insists?|patience": "retry policy, call, timeout",
    r"wish(es)?": "request",
    r"desk": "service",
    r"stray": "denoising strength",
    r"wardrobes?": "LoRA merger",
    r"steering": "conditioning",
    r"jam ?room|workshop|river": "jam view, clip store, timeline",
    r"beside the batch": "side stream",
}
BANNED = [(re.compile(rf"\b({word})\b", re.IGNORECASE), instead) for word, instead in INSTEAD.items()]
ANSWER = re.compile(r"\banswer(s|ed|ing)?\b", re.IGNORECASE)
ANSWERS = re.compile(
    r"\b(HTTP|API|servers?|Redis|S3|Discord|store|storage|hosts?|status|headers?|requests?|response|clients?|url|GET|POST|[2-5]\d\d)\b",
    re.IGNORECASE,
)  # on the same line, these may answer or be answered
EDGE = re.compile(r"(?<=[a-z])(?=[A-Z])|_")


def found_in(line: str) -> str | None:
    """The first replaced word of a line, and what to write instead; None if there is none."""
    words = EDGE.sub(" ", line)
    for banned, instead in BANNED:
        if match := banned.search(words):
            return f"“{match[0]}”: {instead}"
    if (match := ANSWER.search(words)) and not ANSWERS.search(words):
        return f"“{match[0]}”: response, returns, gives; only servers answer, on a line that names one or its status"
    return None


def main(names: list[str]) -> str:
    """What was found, a line each; empty if nothing."""
    git = ["git", "ls-files"]
    names = names or subprocess.run(git, capture_output=True, text=True, check=True).stdout.splitlines()  # noqa: S603
    found = [
        f"{path}:{number}: {finding}"
        for path in map(Path, names)
        if path.suffix in SUFFIXES and path.name not in OWN and path.is_file()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (finding := found_in(line))
    ]
    return "\n".join(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
