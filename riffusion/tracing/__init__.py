"""Spans of the trace that a request leaves on its way through API and worker (docs/tracing.md).

Until `configure` has been called with a collector's address, all of this does nothing, and nothing of OpenTelemetry is
imported. A span never holds a prompt, a key, an address of a client or a URL, and of an error no more than its code.

Spans are in the trace of the one around them, in the same thread. Across threads and processes a trace continues by
its carrier, which lies in the job's record.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, Protocol

from riffusion.settings import Settings

Attributes = Mapping[str, str | int | float | bool]
Carrier = Mapping[str, str]
"""The position in a trace as headers of W3C Trace Context: `traceparent`, and `tracestate` if there is any."""
Kind = Literal["internal", "server", "client", "producer", "consumer"]
HEADERS = ("traceparent", "tracestate")


class Span(Protocol):
    """A span that runs."""

    def set(self, attributes: Attributes) -> None:
        """Adds attributes."""

    def fail(self, error_type: str) -> None:
        """Marks what it stands for as failed; `error_type` is the code or class of an error."""


@dataclass(frozen=True)
class Past:
    """A span of something that is over."""

    name: str
    began: float
    """Unix seconds."""
    ended: float
    """Unix seconds."""
    attributes: Attributes = field(default_factory=dict)


class Backend(Protocol):
    """What makes spans; see the functions of the same names."""

    def span(
        self,
        name: str,
        attributes: Attributes,
        *,
        kind: Kind,
        parent: Carrier | None,
        links: Sequence[Carrier],
        began: float | None,
    ) -> AbstractContextManager[Span]: ...

    def record(self, past: Past, parent: Carrier | None, parts: Sequence[Past]) -> None: ...

    def carrier(self) -> dict[str, str]: ...

    def ids(self) -> dict[str, str]: ...

    def shutdown(self) -> None: ...


class _NoSpan:
    def set(self, attributes: Attributes) -> None:
        pass

    def fail(self, error_type: str) -> None:
        pass


NO_SPAN: Span = _NoSpan()
_NOTHING = nullcontext(NO_SPAN)
_backend: Backend | None = None


def configure(settings: Settings, service: str) -> None:
    """Sends the spans of this process to `settings.otlp_endpoint`, if it is set, from a thread.

    Call it after a fork and after gevent's patches.

    Args:
        service: `service.name`, unless OpenTelemetry's own variables give another.
    """
    global _backend  # noqa: PLW0603 -- one a process, as for logs
    if settings.otlp_endpoint is not None:
        from riffusion.tracing.sdk import Sdk

        _backend = Sdk(settings.otlp_endpoint, service)


def enabled() -> bool:
    """Whether spans are made."""
    return _backend is not None


def span(
    name: str,
    attributes: Attributes | None = None,
    *,
    kind: Kind = "internal",
    parent: Carrier | None = None,
    links: Sequence[Carrier] = (),
    began: float | None = None,
) -> AbstractContextManager[Span]:
    """A span of what the block does; what the block raises makes it fail, and is raised.

    Args:
        parent: where it belongs; None is the span around it, an empty carrier a trace of its own.
        links: other spans that it has to do with; invalid ones are ignored.
        began: Unix seconds, if that was before now.
    """
    backend = _backend  # which another thread may take away
    if backend is None:
        return _NOTHING
    return backend.span(name, attributes or {}, kind=kind, parent=parent, links=links, began=began)


def record(past: Past, *, parent: Carrier | None = None, parts: Sequence[Past] = ()) -> None:
    """Records a span that is over, and those of its parts. See `span`."""
    if backend := _backend:
        backend.record(past, parent, parts)


def carrier() -> dict[str, str]:
    """The current position, for another process to continue from; empty outside of any span."""
    return backend.carrier() if (backend := _backend) else {}


def ids() -> dict[str, str]:
    """`trace_id` and `span_id` of the current span in hexadecimal; empty outside of any, and where it isn't sampled."""
    return backend.ids() if (backend := _backend) else {}


def shutdown() -> None:
    """Sends what hasn't been sent yet, for a few seconds at most; no spans are made from then on."""
    global _backend
    if _backend is not None:
        ending, _backend = _backend, None
        ending.shutdown()
