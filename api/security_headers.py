"""Response headers against sniffing, framing and referrers, and CORS."""

from collections.abc import Collection

from flask import Flask, Response, request

_ALLOW_ORIGIN = "Access-Control-Allow-Origin"
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_PROTECTION = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
_FRAMED = "frame-ancestors *"  # in the policy of the one page that other sites may show in a frame
_EXPOSED = (
    "ETag, Idempotent-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, "
    "WWW-Authenticate, X-Request-Id"
)
_ALLOWED = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Riffusion-End-User, "
    "Riffusion-Secret, Traceparent, Tracestate, X-Request-Id"
)
_PREFLIGHT_MAX_AGE_S = "7200"


def register(app: Flask, cors_origins: Collection[str]) -> None:
    """Adds the headers to every response of `app`; `cors_origins` may read the API from a browser, `*` meaning all."""

    @app.after_request
    def _protect(response: Response) -> Response:
        protect(response, cors_origins, request.headers.get("Origin"))
        if request.method == "OPTIONS" and _ALLOW_ORIGIN in response.headers:
            response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_MAX_AGE_S
        return response


def protect(response: Response, cors_origins: Collection[str], origin: str | None) -> None:
    """Adds the headers to one response; `origin` is that of the page that requested it."""
    response.headers.setdefault("Content-Security-Policy", _NOTHING)
    response.headers.extend(_PROTECTION)
    if _FRAMED not in response.headers["Content-Security-Policy"]:
        response.headers["X-Frame-Options"] = "DENY"
    if cors_origins:
        _share(response, cors_origins, origin)


def _share(response: Response, origins: Collection[str], origin: str | None) -> None:
    """CORS without credentials: a page may do no more than any client may."""
    everyone = "*" in origins
    if not everyone:
        response.vary.add("Origin")
    if origin is None or not (everyone or origin in origins):
        return
    response.headers[_ALLOW_ORIGIN] = "*" if everyone else origin
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
