"""One trace of a clip from POST to webhook, through the processes that are deployed and the bundled model."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from riffusion.jobs.database import connect
from riffusion.jobs.keys import KeyStore
from riffusion.jobs.tenants import UNLIMITED
from riffusion.settings import Settings
from tests.acceptance.conftest import Stack, http, start
from tests.collector import Collector, SeenSpan, collecting
from tests.conftest import S3Server, ValkeyServer, wait_until
from tests.jobs.webhooks.conftest import Receiver, receiver

__all__ = ["receiver"]  # the fixture

PROMPT = "a secret funk bassline"
TRACE, SPAN = "ab" * 16, "cd" * 8
CALLER = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "vendor=7"}
# What happens to a clip, each span's parent, and whose process makes it.
PARENTS = {
    "POST /jobs": "",
    "accept": "POST /jobs",
    "wait": "accept",
    "process tiny": "accept",
    "claim": "process tiny",
    "prompt": "process tiny",
    "denoise": "process tiny",
    "steps": "denoise",
    "decode": "process tiny",
    "sound": "process tiny",
    "write": "process tiny",
    "store": "process tiny",
    "finish": "process tiny",
    "POST webhook": "accept",
}
BY_API = {"POST /jobs", "accept", "POST webhook"}


@dataclass
class Traced:
    """The stack, the collector that it sends spans to, and a key for it."""

    stack: Stack
    collector: Collector
    key: str

    def post(self, body: dict[str, Any], **headers: str) -> httpx.Response:
        """POST /jobs with the key, unless another Authorization is given."""
        return http.post(
            f"{self.stack.url}/jobs",
            json={"mode": "text-to-audio", "prompt": PROMPT, **body},
            headers={"Authorization": f"Bearer {self.key}", **headers},
        )

    def trace_of(self, job_id: str) -> list[SeenSpan]:
        """The spans of the trace that a job belongs to, once its attempt's is there."""
        attempts = self.collector.wait_for("process tiny", of=job_id, timeout=60)
        return [span for span in self.collector.spans() if span.trace == attempts[0].trace]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory, rclone_server: S3Server) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    valkey = ValkeyServer.start(folder)
    keys = KeyStore(connect(Settings(redis_url=valkey.url)), Settings())
    key, _ = keys.create("site", UNLIMITED)
    with pytest.MonkeyPatch.context() as environment, collecting(folder) as collector:
        environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        environment.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        settings = {"otlp_endpoint": collector.url, "webhooks_anywhere": True, "slots": 2}
        with start(folder, valkey, rclone_server.with_bucket(), **settings) as stack:
            stack.start_worker()
            yield Traced(stack, collector, key)
    valkey.kill()


def test_one_trace_leads_from_post_to_webhook(traced: Traced, receiver: Receiver) -> None:
    job = traced.post({"webhook": receiver.url}).raise_for_status().json()
    hook = traced.collector.wait_for("POST webhook", timeout=120)[-1]
    wait_until(lambda: len(traced.trace_of(job["id"])) >= len(PARENTS) + 1, 30)  # two files are stored
    spans = traced.trace_of(job["id"])
    by_id = {span.id: span for span in spans}
    assert {span.name for span in spans} == set(PARENTS)
    for span in spans:
        assert (by_id[span.parent].name if span.parent else "") == PARENTS[span.name]
        assert span.service == ("riffusion-api" if span.name in BY_API else "riffusion-worker")
        assert not span.failed
    assert sorted(s.attributes["riffusion.file.type"] for s in spans if s.name == "store") == [".mp3", ".png"]
    # Durations: each part lies within the whole, in the order in which they happen.
    named = {span.name: span for span in spans}
    attempt = named["process tiny"]
    for inside in (span for span in spans if span.parent == attempt.id):
        assert attempt.began <= inside.began <= inside.ended <= attempt.ended + 1e-6
    order = ["claim", "prompt", "denoise", "decode", "sound", "write", "store", "finish"]
    for first, then in itertools.pairwise(order):
        assert named[first].ended <= named[then].began + 1e-3, (first, then)
    assert named["POST /jobs"].began <= named["wait"].began <= named["wait"].ended <= attempt.ended
    assert hook.began >= named["finish"].began
    steps = [span.attributes["riffusion.steps"] for span in spans if span.name == "steps"]
    assert sum(steps) == named["denoise"].attributes["riffusion.steps"] > 1
    # The receiver can continue the trace, and nothing private is in it.
    assert receiver.headers()["traceparent"].split("-")[1:3] == [hook.trace, hook.id]
    text = traced.collector.file.read_text()
    for secret in (PROMPT, traced.key, "127.0.0.1", receiver.url):
        assert secret not in text


def test_a_callers_trace_is_continued_by_key_and_linked_without(traced: Traced) -> None:
    known = traced.post({"prompt": "known"}, **CALLER).json()["id"]
    stranger = http.post(
        f"{traced.stack.url}/jobs", json={"mode": "text-to-audio", "prompt": "stranger"}, headers=CALLER
    ).json()["id"]
    spans = {job: {span.name: span for span in traced.trace_of(job)} for job in (known, stranger)}
    ours, theirs = spans[known]["POST /jobs"], spans[stranger]["POST /jobs"]
    assert (ours.trace, ours.parent, ours.state) == (TRACE, SPAN, "vendor=7")
    assert spans[known]["process tiny"].state == "vendor=7"
    assert (theirs.parent, theirs.links, theirs.state) == ("", [[TRACE, SPAN]], "")
    assert theirs.trace != TRACE


@pytest.mark.parametrize(
    "sent",
    [
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01, 00-{TRACE}-{SPAN}-01",
        "x" * 8000,
        "\u00e9",
    ],
)
def test_an_invalid_traceparent_is_ignored(traced: Traced, sent: str) -> None:
    headers = httpx.Headers({"Authorization": f"Bearer {traced.key}", "tracestate": "=,=" * 99}, encoding="latin-1")
    headers["traceparent"] = sent
    before = len(traced.collector.spans("DELETE /jobs/<job_id>"))
    response = http.delete(f"{traced.stack.url}/jobs/none", headers=headers)
    assert response.status_code == httpx.codes.NOT_FOUND
    span = traced.collector.wait_for("DELETE /jobs/<job_id>", before + 1)[-1]
    assert (span.parent, span.links) == ("", [])
    assert span.trace == response.json()["trace_id"] != TRACE


def test_problems_and_logs_name_the_trace(traced: Traced) -> None:
    problem = traced.post({"mode": "no such mode"}, **{"X-Request-Id": "found-by-this"}).json()
    assert problem["request_id"] == "found-by-this"
    span = traced.collector.wait_for_trace(problem["trace_id"])[0]
    assert (span.attributes["http.response.status_code"], span.failed) == (422, False)
    assert span.attributes["riffusion.request.id"] == "found-by-this"
    lines = [json.loads(line) for line in (traced.stack.folder / "api.log").read_text().splitlines()]
    assert next(each for each in lines if each.get("request_id") == "found-by-this")["trace_id"] == span.trace
    job_id = traced.post({"prompt": "logged"}).json()["id"]
    trace = traced.trace_of(job_id)[0].trace
    lines = [json.loads(line) for line in (traced.stack.folder / "worker0.log").read_text().splitlines()]
    assert next(each for each in lines if each.get("job") == job_id)["trace_id"] == trace


def test_reads_are_traced_for_callers_that_trace_themselves(traced: Traced) -> None:
    url = f"{traced.stack.url}/models"
    http.get(url)
    http.get(url, headers=CALLER)
    assert http.get(url, headers={"Authorization": f"Bearer {traced.key}", **CALLER}).is_success
    span = traced.collector.wait_for("GET /models")[0]
    assert (span.trace, span.parent) == (TRACE, SPAN)
    assert len(traced.collector.spans("GET /models")) == 1
