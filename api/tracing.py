"""A span for each request that changes something, and for reads of callers that trace themselves.

Other reads have none, as they have no line in the log: there are many more polls than other requests.
"""

from contextlib import ExitStack
from http import HTTPStatus

from flask import Flask, Response, g, request

from api.authentication import caller
from api.metrics import known_method
from api.request_log import READS, request_id
from api.services import services
from riffusion import tracing
from riffusion.errors import RiffusionError
from riffusion.jobs.tenants import key_of


def register(app: Flask) -> None:
    """Adds the spans to `app`."""

    @app.before_request
    def _begin() -> None:
        sent = {name: request.headers[name] for name in tracing.HEADERS if name in request.headers}
        parent = sent if sent and _trusted() else {}
        if request.method in READS and not parent:
            return
        route = request.url_rule.rule if request.url_rule else ""
        method = known_method(request.method)  # otherwise, the two values below are those of HTTP's conventions
        attributes = {
            "http.request.method": method or "_OTHER",
            "http.route": route,
            "url.scheme": request.scheme,
            "riffusion.request.id": request_id(),
        }
        strangers = [{"traceparent": sent["traceparent"]}] if not parent and "traceparent" in sent else []
        name = f"{method or 'HTTP'} {route}".rstrip()
        g.trace = ExitStack()
        g.span = g.trace.enter_context(tracing.span(name, attributes, kind="server", parent=parent, links=strangers))

    @app.after_request
    def _end(response: Response) -> Response:
        if "span" in g:
            g.span.set({"http.response.status_code": response.status_code})
            if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                g.span.fail(str(response.status_code))
        return response

    @app.teardown_request
    def _close(_error: BaseException | None) -> None:
        if "trace" in g:
            g.trace.close()


def _trusted() -> bool:
    """Whether the caller's trace is continued; otherwise the request begins its own, which is linked to it."""
    if services().settings.trust_traceparent:
        return True
    if request.authorization is None:
        return False
    try:
        return key_of(caller().name) is not None
    except RiffusionError:  # the view raises it again, if it wants to know the caller
        return False
