"""The one promise that every fault is held against: what was answered with 202 ends once, with one result."""

import httpx

from riffusion.jobs.store import JobStore
from tests.conftest import wait_until
from tests.faults.stack import Stack, http

SETTLES_S = 60.0


def wait_kept(stack: Stack, timeout: float = SETTLES_S) -> None:
    """Waits until nothing is under way any more, at least one worker being alive, and fails the test unless

    - every accepted job is terminal, and stays as it was when first seen so,
    - every job that succeeded has both files, of one attempt, and there is no other file,
    - no lease, claim or message is left over.
    """
    ids = set(stack.accepted)
    stack.wait_ended(*ids, timeout=timeout)
    ends = {job_id: stack.get(job_id) for job_id in ids}
    wanted = {
        key for record in ends.values() if record.result for key in (record.result.image.key, record.result.audio.key)
    }
    assert len(wanted) == 2 * sum(record.status == "succeeded" for record in ends.values())
    wait_until(lambda: stack.objects() == wanted, timeout, f"not the files that jobs refer to: {_odd(stack, wanted)}")
    wait_until(lambda: not leftovers(stack.store), timeout, f"left over in Redis: {leftovers(stack.store)}")
    assert {job_id: stack.get(job_id) for job_id in ids} == ends
    for job_id in ids:
        job = stack.seen(job_id)
        assert job["status"] == ends[job_id].status
        if result := ends[job_id].result:
            assert _read(stack, job["result"]["audio"]["url"], result.audio.key) == b"sound"


def leftovers(store: JobStore) -> list[str]:
    """Traces of work under way: there are none when all jobs have ended and all messages are dealt with."""
    left = [name for name in ("due", "unacked", "unacked_index") if store.redis.exists(name)]
    of_jobs = ("held:*", "alone:*", "waiting:*", "active:*", "riffusion.*")
    for pattern in (*of_jobs, "fed:*", "batch_lines:*", "batch_open:*"):
        left += [key.decode() for key in store.redis.scan_iter(match=pattern)]
    left += [f"{load.running} running on {model}" for model, load in store.models.loads().items() if load.running]
    return left


def _read(stack: Stack, url: str, key: str) -> bytes:
    """What a file's link opens, or the file in the server's folder where the server broke off within it.

    `rclone serve s3` was seen to do that in 2 of some hundred runs, once twice in a row for a file that was whole.
    """
    try:
        return http.get(url).content
    except httpx.RemoteProtocolError:
        return (stack.s3.folder / stack.s3.bucket / key).read_bytes()


def _odd(stack: Stack, wanted: set[str]) -> str:
    found = stack.objects()
    return f"missing {sorted(wanted - found)[:4]}, too many {sorted(found - wanted)[:4]}"
