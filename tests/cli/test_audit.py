"""`riffusion audit`: what operators did, by whom."""

import getpass
import re
from collections.abc import Callable

import pytest

from tests.cli.conftest import lines


def test_actions_are_listed_newest_first(command: Callable[..., str]) -> None:
    assert command("audit") == ""
    command("keys", "create", "my site")
    (key,) = [key["id"] for key in lines(command("keys", "list", "--json"))]
    command("keys", "revoke", key)
    entries = lines(command("audit", "--json"))
    assert [(entry["action"], entry["target"]) for entry in entries] == [("key.revoke", key), ("key.create", key)]
    assert entries[1]["details"] == {"name": "my site", "operator": False}
    assert re.fullmatch(rf"cli:{re.escape(getpass.getuser())}@\S+", entries[0]["actor"])
    older = command("audit", "--before", entries[0]["id"])
    assert "key.create" in older
    command("audit", "--before", "yesterday", status=2)
    assert "key.revoke" not in older


def test_a_user_without_a_name_is_listed_by_number(
    command: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown() -> str:
        raise KeyError

    monkeypatch.setattr(getpass, "getuser", unknown)
    command("keys", "create", "x")
    assert re.match(r"cli:\d+@", lines(command("audit", "--json"))[0]["actor"])


def test_a_log_that_is_empty_or_cut_says_so(command: Callable[..., str], noted: Callable[..., str]) -> None:
    assert noted("audit") == "There are no entries.\n"
    for name in ("a", "b"):
        command("keys", "create", name)
    (latest,) = lines(command("audit", "--limit", "1", "--json"))
    said = noted("audit", "--limit", "1")
    assert said == f"1 of more; --before {latest['id']} shows the next, --limit N more at once.\n"
    assert noted("audit", "--limit", "2") == ""


@pytest.mark.parametrize("cursor", ["0-0", "1-٣", "1-", f"{'9' * 30}-0", f"1-{'9' * 30}"])
def test_what_is_no_id_is_refused(command: Callable[..., str], cursor: str) -> None:
    command("audit", "--before", cursor, status=2)
