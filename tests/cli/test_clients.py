"""`riffusion clients` and `riffusion reconcile`, as operators see them."""

import json
from collections.abc import Callable

import pytest
from redis import Redis

from riffusion.errors import Blocked
from riffusion.jobs.record import JobRecord
from riffusion.jobs.store import JobStore
from riffusion.settings import Settings
from riffusion.storage import open_storage
from tests.cli.conftest import lines
from tests.jobs.conftest import claim, run, store_files, submit, success

Command = Callable[..., str]
V4 = "address:192.0.2.77"


def last_audit(command: Command) -> dict[str, object]:
    entry: dict[str, object] = lines(command("audit", "--json"))[0]
    return entry


def test_show_prints_what_a_client_has(command: Command, store: JobStore) -> None:
    submit(store, V4)
    run(store)
    (shown,) = lines(command("clients", "show", "192.0.2.77", "--json"))
    assert shown["client"] == V4
    assert shown["jobs"] == {"succeeded": 1}
    text = command("clients", "show", V4)
    assert "1 succeeded" in text
    assert "jobs_in_flight 500" in text
    submit(store, "key:0123")
    assert "none: there is no such key any more" in command("clients", "show", "key:0123")


def test_a_key_that_never_was_is_not_shown(command: Command, noted: Command) -> None:
    for options in (), ("--json",):
        assert "There is no key:0123" in noted("clients", "show", "key:0123/ann", *options, status=1)
    command("clients", "show", V4)


def test_what_is_refused_or_changes_nothing_is_not_written_down(command: Command, noted: Command) -> None:
    assert noted("clients", "show") == "No client is blocked.\n"
    assert "isn't blocked" in noted("clients", "unblock", V4, status=1)
    assert "0123" in noted("clients", "block", "key:0123", "--reason", "Spam.", status=1)
    assert lines(command("audit", "--json")) == []


def test_block_and_unblock_are_done_and_written_down(command: Command, store: JobStore) -> None:
    command("clients", "block", V4, "--reason", "Spam.", "--hours", "2")
    with pytest.raises(Blocked):
        submit(store, V4)
    assert last_audit(command) | {"action": "client.block", "target": V4} == last_audit(command)
    assert "in 2.0 h" in command("clients", "show")
    assert "Spam." in command("clients", "show", V4)
    command("clients", "unblock", V4)
    assert submit(store, V4)
    assert last_audit(command)["action"] == "client.unblock"
    assert command("clients", "show") == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [("2001:db8:1:2::9", "address:2001:db8:1:2::/64"), ("2001:db8::/48", "address:2001:db8::/48")],
)
def test_an_ipv6_address_stands_for_its_network(command: Command, given: str, meant: str) -> None:
    command("clients", "block", given, "--reason", "Flood.")
    assert [block["client"] for block in lines(command("clients", "show", "--json"))] == [meant]


def test_what_is_no_client_is_refused(command: Command) -> None:
    for name in ("alice", "address:192.0.2", "10.0.0.0/8", "2001:db8::/32", "2001:db8::1/128"):
        command("clients", "show", name, status=2)


def test_purge_asks_and_writes_down_no_name(command: Command, noted: Command, store: JobStore, redis: Redis) -> None:
    record = submit(store, V4)
    assert run(store)
    assert "--yes" in noted("clients", "purge", V4, status=1)
    assert store.get(record.id)
    assert "deleted  1 jobs, 0 uploads" in command("clients", "purge", V4, "--yes")
    audit = last_audit(command)
    assert audit["action"] == "client.purge"
    assert "192.0.2.77" not in json.dumps(audit)
    assert "Nothing here was this client's." in noted("clients", "purge", "192.0.2.78", "--yes")


def made(store: JobStore, settings: Settings) -> JobRecord:
    submit(store, V4)
    record = claim(store)
    store_files(open_storage(settings), record)
    store.finish(record.id, record.token, success(record))
    return store.get(record.id)


def test_reconcile_reports_and_changes_what_it_is_asked_to(
    command: Command, store: JobStore, settings: Settings
) -> None:
    made(store, settings)
    lost = made(store, settings)
    files = open_storage(settings)
    files.delete(list(files.list(lost.folder)))
    text = command("reconcile")
    assert "--mark-lost changes that" in text
    assert f"    {V4}  1" in text
    assert lines(command("audit", "--json")) == []
    (report,) = lines(command("reconcile", "--mark-lost", "--json"))
    assert report["lost_jobs"] == {"count": 1, "bytes": 0, "examples": [lost.id]}
    assert last_audit(command)["action"] == "storage.reconcile"
    assert lines(command("reconcile", "--json"))[0]["lost_jobs"]["count"] == 0


def test_reconcile_names_both_and_refuses_the_wrong_storage(
    command: Command, noted: Command, store: JobStore, settings: Settings
) -> None:
    assert "right ones?" not in noted("reconcile")
    submit(store, V4)
    record = run(store)
    for options in (), ("--json",):
        said = noted("reconcile", *options)
        assert settings.redis_url in said
        assert str(settings.data_dir / "files") in said
        assert "are these the right ones?" in said
    assert "are these the right ones?" in noted("reconcile", "--mark-lost", status=1)
    assert store.get(record.id) == record


def test_a_block_for_longer_than_redis_can_count_is_refused(command: Command, store: JobStore) -> None:
    command("clients", "block", V4, "--reason", "Spam.", "--hours", "1e18", status=2)
    assert submit(store, V4)


def test_no_control_sequence_reaches_the_terminal(command: Command) -> None:
    reason = "\x1b]0;mine\x07\x9b2J\nkey:00ff  unblocked"
    command("clients", "block", V4, "--reason", reason)
    command("keys", "create", reason)
    for shown in ("clients", "show"), ("clients", "show", V4), ("audit",), ("keys", "list"):
        for options in (), ("--json",):
            text = command(*shown, *options)
            assert "mine" in text
            assert "\nkey:00ff  unblocked" not in text
            assert all(character.isprintable() for character in text.replace("\n", ""))
