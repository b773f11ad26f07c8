"""Traces of jobs that lose their worker, and a collector that hangs."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from riffusion.embedded.child import stop
from tests.collector import collecting
from tests.faults.conftest import MakeStack
from tests.faults.promise import wait_kept

JOBS = 40
EXPORT_S = 10.0  # after which the exporter abandons a request


@pytest.fixture
def prompt_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")  # milliseconds


def test_a_lost_attempt_and_its_repetition_are_in_one_trace(
    make_stack: MakeStack, prompt_exports: None, tmp_path: Path
) -> None:
    with collecting(tmp_path) as collector:
        stack = make_stack(otlp_endpoint=collector.url)
        first = stack.start_worker()
        job_id = stack.submit("6")  # seconds: a busy machine may not kill its worker sooner
        stack.wait_running(job_id)
        lost = stack.get(job_id)
        collector.wait_for("wait", of=job_id)  # what a process hasn't sent goes with it
        first.kill()
        stack.start_worker()
        stack.wait_ended(job_id)
        waits = collector.wait_for("wait", 2, of=job_id)
        attempt = collector.wait_for("process tiny", of=job_id)[-1]
        accept = collector.wait_for("accept")[0]
        assert attempt.attributes["riffusion.attempt"] == 2
        # The process that was killed sent no span of its attempt, but the next one is linked to it.
        assert attempt.links == [lost.attempt_trace["traceparent"].split("-")[1:3]]
        assert {span.trace for span in (*waits, attempt)} == {accept.trace}
        assert {span.parent for span in (*waits, attempt)} == {accept.id}
        # It waited twice: from acceptance to its first claim, and from when its lease had run out to its second.
        started = [lost.started_at, stack.get(job_id).started_at]
        assert [span.ended for span in waits] == pytest.approx(started, abs=0.01)
        assert waits[0].began == pytest.approx(lost.created_at, abs=0.01)
        assert waits[1].began > waits[0].ended + 1
        wait_kept(stack)


def test_a_job_that_was_given_back_has_two_attempts(
    make_stack: MakeStack, prompt_exports: None, tmp_path: Path
) -> None:
    with collecting(tmp_path) as collector:
        stack = make_stack(otlp_endpoint=collector.url, shutdown_grace_s=0)
        first = stack.start_worker()
        job_id = stack.submit("3")
        stack.wait_running(job_id)
        assert stop(first.process, grace_s=60) == 0
        stack.start_worker()
        stack.wait_ended(job_id)
        given_back, made = collector.wait_for("process tiny", 2, of=job_id)
        assert (given_back.failed, given_back.attributes["error.type"]) == (True, "given_back")
        assert (made.failed, made.links) == (False, [[given_back.trace, given_back.id]])


def test_a_collector_that_hangs_slows_nothing(
    make_stack: MakeStack, prompt_exports: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    with collecting(tmp_path, "hang") as collector:
        stack = make_stack(otlp_endpoint=collector.url)
        worker = stack.start_worker()
        began = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            ids = list(pool.map(stack.submit, ["0"] * JOBS))
        stack.wait_ended(*ids)
        assert time.monotonic() - began < EXPORT_S
        wait_kept(stack)
        assert "hangs" in collector.file.read_text()
        assert "Queue full, dropping Span" in worker.log.read_text()
        for process in (worker.process, stack.api):
            assert process is not None
            began = time.monotonic()
            assert stop(process, grace_s=60) == 0
            assert time.monotonic() - began < EXPORT_S
