"""Whose traces the API continues; with keys and real processes: tests/acceptance/test_tracing.py."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.app import create_app
from riffusion.settings import Settings
from tests.api.conftest import PROMPT, Client
from tests.test_tracing import NOWHERE, SPAN, TRACE, exported

__all__ = ["exported"]  # the fixture


@pytest.mark.parametrize("trusted", [False, True])
def test_strangers_are_trusted_where_the_setting_says_so(
    exported: InMemorySpanExporter, settings: Settings, *, trusted: bool
) -> None:
    traced = {"otlp_endpoint": NOWHERE.otlp_endpoint, "trust_traceparent": trusted}
    client = Client(create_app(settings.model_copy(update=traced)))
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
    response = client.post("/jobs", json=PROMPT, headers=headers)
    assert client.get(f"/jobs/{response.json['id']}", headers=headers).status_code == 200
    spans = exported.get_finished_spans()
    names = ["accept", "POST /jobs", "GET /jobs/<job_id>"] if trusted else ["accept", "POST /jobs"]
    assert [span.name for span in spans] == names
    assert {f"{span.context.trace_id:x}" == TRACE for span in spans} == {trusted}
    assert [len(span.links) for span in spans[:2]] == [0, 0 if trusted else 1]


def test_methods_that_the_api_does_not_have_share_one_name(exported: InMemorySpanExporter, settings: Settings) -> None:
    client = Client(create_app(settings.model_copy(update={"otlp_endpoint": NOWHERE.otlp_endpoint})))
    for method in ("BREW", "PROPFIND"):
        assert client.open("/jobs", method=method).status_code == 405
    spans = exported.get_finished_spans()
    assert {(span.name, (span.attributes or {})["http.request.method"]) for span in spans} == {("HTTP", "_OTHER")}
