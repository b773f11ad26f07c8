"""Response headers that protect: sniffing, framing, referrers, other origins."""

from collections.abc import Sequence

from flask import Flask, Response, request

_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_PROTECTION = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"), ("X-Frame-Options", "DENY"))
_EXPOSED = (
    "ETag, Idempotent-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, "
    "WWW-Authenticate, X-Request-Id"
)
_ALLOWED = (
    "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, Riffusion-End-User, "
    "Riffusion-Secret, X-Request-Id"
)
_PREFLIGHT_MAX_AGE_S = "7200"


def register(app: Flask, cors_origins: Sequence[str]) -> None:
    """Adds the headers to every response of `app`; `cors_origins` may read the API from a browser, `*` meaning all."""

    @app.after_request
    def _protect(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", _NOTHING)
        response.headers.extend(_PROTECTION)
        if cors_origins:
            _share(response, cors_origins)
        return response


def _share(response: Response, origins: Sequence[str]) -> None:
    """CORS, without credentials: a page may do what any client may, no more."""
    everyone = "*" in origins
    origin = request.headers.get("Origin")
    if not everyone:
        response.vary.add("Origin")
    if origin is None or not (everyone or origin in origins):
        return
    response.headers["Access-Control-Allow-Origin"] = "*" if everyone else origin
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _ALLOWED
        response.headers["Access-Control-Max-Age"] = _PREFLIGHT_MAX_AGE_S
