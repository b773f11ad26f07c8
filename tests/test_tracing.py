"""Spans without a collector's address, and what is in them with one."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from pydantic import ValidationError

from riffusion import tracing
from riffusion.errors import OutOfMemory
from riffusion.settings import Settings
from riffusion.tracing import sdk

NOWHERE = Settings(otlp_endpoint="http://127.0.0.1:9")
TRACE, SPAN = "ab" * 16, "cd" * 8


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """The spans of this process. None is sent: an exporter that retries would outlive the test, and look up names."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(sdk, "OTLPSpanExporter", lambda **_: exporter)
    monkeypatch.setattr(sdk, "BatchSpanProcessor", SimpleSpanProcessor)
    tracing.configure(NOWHERE, "test")
    yield exporter
    tracing.shutdown()


def test_nothing_of_opentelemetry_is_imported_while_it_is_off() -> None:
    program = (
        "import sys, api.app, api.gunicorn_conf, worker.app, riffusion.generate, riffusion.embedded.supervisor\n"
        "from riffusion import tracing, settings\n"
        "tracing.configure(settings.Settings(), 'test')\n"
        "with tracing.span('any') as span: span.set({'a': 1}), tracing.record(tracing.Past('other', 0, 1))\n"
        "print(tracing.enabled(), tracing.carrier(), tracing.ids(), 'opentelemetry' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "False {} {} False\n"


def test_an_endpoint_is_a_url() -> None:
    with pytest.raises(ValidationError, match="otlp_endpoint"):
        Settings(otlp_endpoint="collector:4318")


def test_a_span_has_an_errors_code_and_not_its_message(exported: InMemorySpanExporter) -> None:
    with pytest.raises(OutOfMemory), tracing.span("known"):
        raise OutOfMemory("a secret prompt")
    with pytest.raises(ZeroDivisionError), tracing.span("unknown"):
        raise ZeroDivisionError("a secret prompt")
    for span, code in zip(exported.get_finished_spans(), ("out_of_memory", "ZeroDivisionError"), strict=True):
        assert span.attributes is not None
        assert (span.attributes["error.type"], span.status.status_code) == (code, StatusCode.ERROR)
        assert "secret" not in span.to_json()


def test_a_span_that_is_over_has_its_times_and_parts(exported: InMemorySpanExporter) -> None:
    with tracing.span("around"):
        tracing.record(tracing.Past("whole", 1.5, 4.0), parts=[tracing.Past("part", 2.0, 3.0, {"steps": 2})])
    part, whole, around = exported.get_finished_spans()
    assert [(span.start_time, span.end_time) for span in (part, whole)] == [
        (2 * 10**9, 3 * 10**9),
        (15 * 10**8, 4 * 10**9),
    ]
    assert part.parent is not None
    assert whole.parent is not None
    assert (part.parent.span_id, whole.parent.span_id) == (whole.context.span_id, around.context.span_id)


def test_the_standard_variable_samples_and_parents_decide(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    exported: InMemorySpanExporter = request.getfixturevalue("exported")
    with tracing.span("own"):
        assert tracing.ids() == {}
        flags = tracing.carrier()["traceparent"].rpartition("-")[2]
        assert not int(flags, 16) & 1  # so that no other process samples it either
    with tracing.span("continued", parent={"traceparent": f"00-{TRACE}-{SPAN}-01"}):
        assert tracing.ids()["trace_id"] == TRACE
    assert [span.name for span in exported.get_finished_spans()] == ["continued"]


def test_a_callers_state_is_continued_while_it_is_short(exported: InMemorySpanExporter) -> None:
    """A job's record has it, and it counts for no limit."""
    parent = {"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"}
    for length, kept in ((250, True), (256, False)):
        state = f"a={'x' * length},b={'x' * length}"
        with tracing.span("any", parent={**parent, "tracestate": state}):
            assert tracing.carrier().get("tracestate") == (state if kept else None)
            assert tracing.carrier()["traceparent"].split("-")[1] == "1" * 32
