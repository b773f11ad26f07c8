"""A process that takes spans by OTLP over HTTP and writes them down: `python -m tests.otlp_receiver PORT FILE`.

What it receives is parsed by OpenTelemetry's own protobuf messages. With `hang` as a third argument it takes requests
and never responds.
"""

import json
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1 import trace_pb2


def _values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _spans(body: bytes) -> Iterator[dict[str, Any]]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        about = _values(resource.resource.attributes)
        for span in (span for scope in resource.scope_spans for span in scope.spans):
            yield {
                "trace": span.trace_id.hex(),
                "id": span.span_id.hex(),
                "parent": span.parent_span_id.hex(),
                "name": span.name,
                "kind": trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                "began": span.start_time_unix_nano / 1e9,
                "ended": span.end_time_unix_nano / 1e9,
                "attributes": _values(span.attributes),
                "links": [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
                "state": span.trace_state,
                "failed": span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
                "service": about["service.name"],
            }


def _serve(port: int, file: Path, *, hang: bool) -> None:
    output = file.open("a", buffering=1)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if hang:
                output.write("hangs\n")
                time.sleep(3600)
            assert self.path == "/v1/traces"
            output.write("".join(json.dumps(span) + "\n" for span in _spans(body)))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print("READY", flush=True)  # noqa: T201 -- for its parent
        server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]), hang="hang" in sys.argv)
