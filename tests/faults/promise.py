"""The one promise that every fault is held against: what was answered with 202 ends once, with one result."""

import httpx
from redis import Redis

from tests.conftest import wait_until
from tests.faults.stack import Stack

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
    wait_until(lambda: not leftovers(stack.redis), timeout, f"left over in Redis: {leftovers(stack.redis)}")
    assert {job_id: stack.get(job_id) for job_id in ids} == ends
    for job_id in ids:
        job = stack.seen(job_id)
        assert job["status"] == ends[job_id].status
        if job["result"]:
            assert httpx.get(job["result"]["audio"]["url"]).content == b"sound"


def leftovers(redis: Redis) -> list[str]:
    """Traces of work under way: there are none when all jobs have ended and all messages are dealt with."""
    left = [name for name in ("due", "unacked", "unacked_index") if redis.exists(name)]
    for pattern in ("held:*", "alone:*", "waiting:*", "riffusion.*"):
        left += [key.decode() for key in redis.scan_iter(match=pattern)]
    left += [key.decode() for key in redis.scan_iter(match="model:*") if redis.hget(key, "running") not in (None, b"0")]
    return left


def _odd(stack: Stack, wanted: set[str]) -> str:
    found = stack.objects()
    return f"missing {sorted(wanted - found)[:4]}, too many {sorted(found - wanted)[:4]}"
