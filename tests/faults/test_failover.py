"""Redis that fails over to a replica."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
from redis import Redis

from riffusion.jobs.connections import FOLLOW_S
from tests.conftest import S3Server, ValkeyServer, wait_until
from tests.faults.failovers import fail_over_under_load
from tests.faults.promise import wait_kept
from tests.faults.replicas import Replicas, Watched, replicas, role, watched
from tests.faults.stack import running

FAILOVERS = 3
FOLLOWS_S = 15.0
QUIET_S = 2


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Replicas]:
    with replicas(tmp_path) as nodes:
        yield nodes


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[Watched]:
    with watched(tmp_path) as nodes:
        yield nodes


def spoken_to(replica: ValkeyServer) -> bool:
    """Whether anybody but this, and its primary, has lately said something to it, or listens."""
    with Redis(port=replica.port) as redis:
        talking = [client for client in redis.client_list(_type="normal") if int(client["idle"]) <= QUIET_S]
        return len(talking) > 1 or bool(redis.client_list(_type="pubsub"))


def test_17_everyone_follows_the_address_to_the_new_primary(
    pair: Replicas, tmp_path: Path, s3_server: S3Server
) -> None:
    with running(tmp_path / "stack", s3_server, (), pair) as stack:
        worker = stack.start_worker()
        for _ in range(2):
            ids = [stack.submit("2") for _ in range(6)]
            stack.watch(ids[0], 1)  # the subscriber is there
            stack.wait_running(*ids[:4])
            pair.fail_over()
            stack.lead_to_primary()
            statuses = [stack.post("0").status_code for _ in range(20)]
            assert statuses.count(HTTPStatus.ACCEPTED) >= 18, statuses
            stack.wait_ended(*stack.accepted)
            wait_until(lambda: not spoken_to(pair.replica), FOLLOWS_S, "a client stays with the old primary")
        wait_kept(stack)
        assert worker.process.poll() is None
        assert set(stack.runs().values()) == {1}


def test_17_nothing_accepted_is_lost_to_a_failover(sentinels: Watched, tmp_path: Path, s3_server: S3Server) -> None:
    with running(tmp_path / "stack", s3_server, (), sentinels, slots=16, redis_replicas=1) as stack:
        worker = stack.start_worker()
        assert fail_over_under_load(stack, sentinels, FAILOVERS).lost == []
        wait_kept(stack)
        assert worker.process.poll() is None


def test_17_a_primary_that_was_forced_out_is_left_before_it_is_demoted(
    sentinels: Watched, tmp_path: Path, s3_server: S3Server
) -> None:
    with running(tmp_path / "stack", s3_server, (), sentinels) as stack:
        stack.start_worker()
        stack.wait_ended(stack.submit("0"))
        sentinels.force_out()
        time.sleep(2 * FOLLOW_S)
        job_id = stack.submit("0")
        stack.wait_ended(job_id)
        assert role(sentinels.replica) == "master", "they stayed with it until it was demoted"
        with Redis(port=sentinels.primary.port) as primary:
            assert primary.exists(f"job:{job_id}"), "they stayed with it"
        wait_kept(stack)


def test_17_no_202_without_a_replica(pair: Replicas, tmp_path: Path, s3_server: S3Server) -> None:
    with running(tmp_path / "stack", s3_server, (), pair, redis_replicas=1) as stack:
        pair.replica.pause()
        refused = [stack.post("0", "the-same-key") for _ in range(2)]
        assert {response.status_code for response in refused} == {HTTPStatus.SERVICE_UNAVAILABLE}
        assert refused[0].json()["code"] == "store_unavailable"
        pair.replica.resume()
        began = time.monotonic()
        job_id = stack.submit("0")
        assert time.monotonic() - began < FOLLOWS_S
        accepted = stack.post("0", "the-same-key")
        assert accepted.headers["Idempotent-Replayed"] == "true"
        stack.start_worker()
        stack.wait_ended(job_id, accepted.json()["id"])
        wait_kept(stack)
