"""Whether a worker process still works, at `/healthz` beside its metrics: what restarts it asks there."""

from collections.abc import Callable, Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def with_health(metrics: WSGIApplication, alive: Callable[[], bool]) -> WSGIApplication:
    """Serves `/healthz`, and everything else by `metrics`.

    The status is 503 before the worker takes jobs, and when its heartbeats have stopped for a minute: it then loses all
    its jobs and reports none. While Redis is away it is 200, because another start wouldn't help.
    """

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/healthz":
            return metrics(environ, start_response)
        ok = alive()
        start_response("200 OK" if ok else "503 Service Unavailable", [("Content-Type", "text/plain")])
        return [b"ok\n" if ok else b"no heartbeats\n"]

    return application
