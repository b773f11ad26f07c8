"""Two versions at once, as while an upgrade rolls out: the API and a worker of each, on one Redis and one storage."""

import itertools
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus

import pytest

from riffusion.jobs.record import JobRecord, JobStatus
from tests.conftest import free_port, wait_until
from tests.faults import previous
from tests.faults.conftest import MakeStack
from tests.faults.promise import wait_kept
from tests.faults.stack import Stack, http

JOBS = 40


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process of the release before."""
    try:
        return previous.environment(previous.unpack(tmp_path_factory.mktemp("previous")))
    except previous.NoHistory as error:
        pytest.skip(str(error))


@contextmanager
def second_api(stack: Stack, env: dict[str, str]) -> Iterator[Stack]:
    """Another API on the same Redis."""
    port = free_port()
    other = replace(stack, port=port, url=f"http://127.0.0.1:{port}", api=None, workers=[])
    try:
        # gunicorn looks for packages in the folder that it is started in before all others.
        inside = ("env", "--chdir", env["PYTHONPATH"])
        other.start_api(*inside, sys.executable, "-m", "riffusion", "api", "--port", str(port), env=env)
        yield other
    finally:
        other.stop_api()


def is_current(stack: Stack) -> bool:
    """Whether the running API is of this version: the release before has no crossfade."""
    return "Crossfade" in http.get(f"{stack.url}/openapi.json").json()["components"]["schemas"]


def test_12_api_and_worker_crosswise(make_stack: MakeStack, old: dict[str, str]) -> None:
    stack = make_stack()
    stack.start_worker()
    stack.start_worker(env=old)
    with second_api(stack, old) as older:
        assert is_current(stack)
        assert not is_current(older)
        apis, keys = itertools.cycle([stack, older]), {uuid.uuid4().hex: "" for _ in range(JOBS)}
        for key in keys:
            keys[key] = next(apis).post("0.2", key).json()["id"]
        # Each is retried with the other version, as by a client whose connection broke while the API was replaced.
        for (key, job_id), api in zip(keys.items(), itertools.cycle([older, stack]), strict=False):
            again = api.post("0.2", key)
            assert (again.status_code, again.json()["id"]) == (HTTPStatus.ACCEPTED, job_id)
        stack.wait_ended(*keys.values())
        for job_id in keys.values():
            for api in (stack, older):
                seen = api.seen(job_id)
                assert (seen["status"], seen["request"]["prompt"]) == ("succeeded", "0.2")
                assert http.get(seen["result"]["audio"]["url"]).content == b"sound"
            assert stack.seen(job_id)["request"]["steps"] == 20  # also where the older one accepted it
        stack.accepted[:] = list(dict.fromkeys(stack.accepted))
        wait_kept(stack)
    assert {stack.get(job_id).status for job_id in keys.values()} == {JobStatus.SUCCEEDED}
    assert stack.runs() == dict.fromkeys(keys.values(), 1)
    assert by_version(stack, keys.values(), current=True)
    assert by_version(stack, keys.values(), current=False)


def by_version(stack: Stack, ids: Iterable[str], *, current: bool) -> list[JobRecord]:
    """The jobs that workers of this version made, or of the one before."""
    records = [stack.get(job_id) for job_id in ids]
    return [record for record in records if bool(record.folder) is current]


def test_12_a_worker_dies_and_the_other_version_takes_over(make_stack: MakeStack, old: dict[str, str]) -> None:
    stack = make_stack()
    for first, second in (({}, old), (old, {})):
        worker = stack.start_worker(env=first)
        ids = [stack.submit("3") for _ in range(2)]
        stack.wait_running(*ids)
        other = stack.start_worker(env=second)
        worker.kill()
        stack.wait_ended(*ids)
        wait_until(lambda: {stack.get(each).status for each in ids} == {JobStatus.SUCCEEDED}, 30)  # noqa: B023
        other.kill()
    stack.start_worker()
    wait_kept(stack)


def test_12_an_older_api_hides_a_published_crossfade(make_stack: MakeStack, old: dict[str, str]) -> None:
    stack = make_stack()
    stack.start_worker()
    inputs = [stack.submit("0") for _ in range(2)]
    stack.wait_ended(*inputs)
    ends = {end: {"init": {"job": job_id}} for end, job_id in zip(("start", "end"), inputs, strict=True)}
    crossfade = http.post(f"{stack.url}/jobs", json={"mode": "crossfade", **ends, "alpha": 0.5}).json()["id"]
    stack.accepted.append(crossfade)
    stack.wait_ended(crossfade)
    share = http.post(f"{stack.url}/jobs/{crossfade}/publish").json()["id"]
    with second_api(stack, old) as older:
        assert http.get(f"{stack.url}/clips/{share}.json").status_code == HTTPStatus.OK
        assert http.get(f"{older.url}/clips/{share}.json").status_code == HTTPStatus.NOT_FOUND
        assert older.seen(crossfade)["status"] == "succeeded"
    wait_kept(stack)


def test_12_a_job_of_a_newer_format_waits_for_a_newer_worker(stack: Stack) -> None:
    newer, plain = stack.submit("0"), stack.submit("0")
    stack.redis.hset(
        f"job:{newer}", mapping={"schema": 99, "mode": "yet-to-come", "request": json.dumps({"mode": "yet-to-come"})}
    )
    stack.start_worker()
    stack.wait_ended(plain)
    assert stack.get(newer).status is JobStatus.QUEUED
    assert stack.seen(newer)["mode"] == "yet-to-come"
    stack.cancel(newer)
    wait_kept(stack)
