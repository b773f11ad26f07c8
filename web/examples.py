"""The examples of `/docs` and `/llms.txt`, from `examples.md`; a test runs each of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from web.reference import prose

ADDRESS = "http://127.0.0.1:8000"  # the server's, in the file
LANGUAGES = {"sh": "curl", "python": "Python", "js": "JavaScript"}
_SECTION = re.compile(r"^## (\w+): ([^\n]+)\n\n([^\n]+)\n\n(.+?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^## \w+: ", re.MULTILINE)
_CODE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """The same task in each language."""

    title: str
    text: Markup
    code: Mapping[str, str]
    """By the names of LANGUAGES."""


def examples(url: str) -> Mapping[str, Example]:
    """By the id of the operation that they are about; the first one is `start`."""
    return {
        name: Example(title, prose(text), {LANGUAGES[language]: code for language, code in _CODE.findall(blocks)})
        for name, title, text, blocks in _SECTION.findall(_file(url))
    }


def markdown(url: str) -> str:
    """The file without the ids, as the end of another document."""
    return _HEADING.sub("## ", _file(url))


def _file(url: str) -> str:
    return Path(__file__).with_name("examples.md").read_text(encoding="utf-8").replace(ADDRESS, url)
