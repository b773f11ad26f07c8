"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP. The only module that imports anything of OpenTelemetry.

Its standard variables apply: those of the sampler (OTEL_TRACES_SAMPLER), of the queue (OTEL_BSP_*), of the exporter but
its endpoint (OTEL_EXPORTER_OTLP_*), of the resource (OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES), OTEL_SDK_DISABLED.
The queue is bounded and a thread empties it: a collector that is slow or away costs spans, and no request or job waits
for it.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from riffusion import __version__
from riffusion.errors import RiffusionError
from riffusion.tracing import Attributes, Carrier, Kind, Past, Span

FLUSH_S = 3.0  # at most, at the process's end
STATE_CHARACTERS = 512  # of a tracestate, that W3C Trace Context has everyone pass on; jobs keep no more

_W3C = TraceContextTextMapPropagator()


class Sdk:
    """A tracer provider of this process's own; OpenTelemetry's global one stays as it is."""

    def __init__(self, endpoint: str, service: str) -> None:
        """
        Args:
            endpoint: base URL of the collector, without `/v1/traces`.
        """
        own = Resource.create({"service.name": service, "service.version": __version__})
        self._provider = TracerProvider(resource=own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("riffusion", __version__)

    @contextmanager
    def span(
        self,
        name: str,
        attributes: Attributes,
        *,
        kind: Kind,
        parent: Carrier | None,
        links: Sequence[Carrier],
        began: float | None,
    ) -> Iterator[Span]:
        """See `riffusion.tracing.span`."""
        linked = [trace.get_current_span(_W3C.extract(each)).get_span_context() for each in links]
        with self._tracer.start_as_current_span(
            name,
            _context(parent),
            SpanKind[kind.upper()],
            attributes,
            [Link(each) for each in linked if each.is_valid],
            _nanoseconds(began),
            record_exception=False,  # its message may quote the request
            set_status_on_exception=False,
        ) as made:
            running = _Running(made)
            try:
                yield running
            except BaseException as error:
                running.fail(error.code if isinstance(error, RiffusionError) else type(error).__name__)
                raise

    def record(self, past: Past, parent: Carrier | None, parts: Sequence[Past]) -> None:
        """See `riffusion.tracing.record`."""
        whole = self._begin(past, _context(parent))
        for part in parts:
            self._begin(part, trace.set_span_in_context(whole)).end(_nanoseconds(part.ended))
        whole.end(_nanoseconds(past.ended))

    def carrier(self) -> dict[str, str]:
        """See `riffusion.tracing.carrier`."""
        headers: dict[str, str] = {}
        _W3C.inject(headers)
        if len(headers.get("tracestate", "")) > STATE_CHARACTERS:
            del headers["tracestate"]
        return headers

    def ids(self) -> dict[str, str]:
        """See `riffusion.tracing.ids`."""
        here = trace.get_current_span().get_span_context()
        if not here.trace_flags.sampled:
            return {}
        return {"trace_id": trace.format_trace_id(here.trace_id), "span_id": trace.format_span_id(here.span_id)}

    def _begin(self, past: Past, context: Context | None) -> trace.Span:
        began = _nanoseconds(past.began)
        return self._tracer.start_span(past.name, context, attributes=past.attributes, start_time=began)

    def shutdown(self) -> None:
        """See `riffusion.tracing.shutdown`."""
        # The SDK itself would wait for 30 s.
        flush = threading.Thread(target=self._provider.shutdown, name="flush spans", daemon=True)
        flush.start()
        flush.join(FLUSH_S)


class _Running:
    def __init__(self, made: trace.Span) -> None:
        self._made = made

    def set(self, attributes: Attributes) -> None:
        self._made.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self._made.set_attribute("error.type", error_type)
        self._made.set_status(StatusCode.ERROR)


def _context(parent: Carrier | None) -> Context | None:
    return None if parent is None else _W3C.extract(parent)


def _nanoseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e9)
