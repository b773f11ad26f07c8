"""Redis is lost under load and an older backup of it is put back: what then holds, what doesn't, and who sees it."""

import json
import shutil
import subprocess
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from redis import Redis

from riffusion.jobs.keys import KeyStore
from riffusion.jobs.reconcile import Reconciliation
from riffusion.jobs.tenants import UNLIMITED
from riffusion.storage import open_storage
from tests.conftest import wait_until
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack, http

AFTER = 20  # jobs accepted after the backup, at least


def back_up(redis: Redis, folder: Path) -> Path:
    """A snapshot of Redis while it works."""
    before = redis.lastsave()
    time.sleep(1)  # its time has whole seconds
    redis.bgsave()
    wait_until(lambda: redis.lastsave() != before)
    return Path(shutil.copy(folder / "dump.rdb", folder.parent / "backup.rdb"))


def lose_and_restore(stack: Stack, backup: Path) -> None:
    """As docs/operations.md has it: the snapshot becomes the base of an append-only file."""
    stack.valkey.kill()
    log = stack.valkey.folder / "appendonlydir"
    shutil.rmtree(log)
    log.mkdir()
    shutil.copy(backup, log / "appendonly.aof.1.base.rdb")
    (log / "appendonly.aof.manifest").write_text("file appendonly.aof.1.base.rdb seq 1 type b\n")
    stack.start_redis()


def reconcile(stack: Stack, *options: str) -> dict[str, Any]:
    """`riffusion reconcile`, as an operator runs it beside the service."""
    command = [sys.executable, "-m", "riffusion", "reconcile", "--json", *options]
    env = stack.env()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def status(stack: Stack, job_id: str) -> tuple[int, str]:
    """The status of GET /jobs/<id>, and the problem's code."""
    response = http.get(f"{stack.url}/jobs/{job_id}")
    return response.status_code, response.json().get("code", "")


def test_an_older_backup_is_restored_under_load(stack: Stack) -> None:
    stack.start_worker()
    keys = KeyStore(stack.redis, stack.store.settings)
    _, revoked = keys.create("leaked", UNLIMITED)
    early = [stack.submit("0") for _ in range(6)]
    stack.wait_ended(*early)
    kept, deleted, damaged, *_ = early
    with stack.stream("0.3"):
        long = stack.submit("4")
        stack.wait_running(long)
        before = len(stack.accepted)
        backup = back_up(stack.redis, stack.valkey.folder)
        after = len(stack.accepted)
        assert http.delete(f"{stack.url}/jobs/{deleted}").status_code == HTTPStatus.NO_CONTENT
        keys.revoke(revoked.id)
        wait_until(lambda: len(stack.accepted) > after + AFTER)
        time.sleep(7)  # deletions are in the storage within seconds
        assert not stack.redis.exists("erasures")
        lose_and_restore(stack, backup)
        restored = len(stack.accepted)
        wait_until(lambda: len(stack.accepted) > restored + 5)

    # What was accepted before the backup is there; what was accepted after it is not, and only its clients know of it.
    lost = [job_id for job_id in stack.accepted[before:] if status(stack, job_id)[0] == HTTPStatus.NOT_FOUND]
    assert len(lost) >= AFTER
    assert all(status(stack, job_id)[0] == HTTPStatus.OK for job_id in stack.accepted[:before])
    # What was deleted since is there again, until it is deleted again.
    assert status(stack, deleted)[0] == HTTPStatus.OK
    assert keys.get(revoked.id)
    report = reconcile(stack, "--erase-again")
    assert report["returned"]["count"] == 2
    assert status(stack, deleted) == (HTTPStatus.GONE, "gone")
    assert keys.get(revoked.id) is None

    stack.accepted = [job_id for job_id in stack.accepted if job_id not in {*lost, deleted}]
    stack.wait_ended(*stack.accepted)
    assert stack.get(long).status == "succeeded"
    # Files of the jobs that are lost; and of the storage's own loss a client learns. No file is an hour old here.
    assert reconcile(stack)["young"]["count"] >= AFTER
    files = open_storage(stack.store.settings)
    files.delete(list(files.list(stack.get(damaged).folder)))
    later = Reconciliation(stack.redis, files, stack.store.settings, min_age_s=0)
    found = later.run()
    assert found.orphans.count >= AFTER
    assert found.lost_jobs.examples == [damaged]
    assert status(stack, damaged)[0] == HTTPStatus.OK
    assert later.run(delete_orphans=True, mark_lost=True) == found
    assert status(stack, damaged) == (HTTPStatus.GONE, "result_lost")
    assert status(stack, kept)[0] == HTTPStatus.OK
    stack.accepted.remove(damaged)
    wait_kept(stack)
