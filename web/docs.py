"""The API's reference at `/docs`, and what programs look for at fixed addresses, such as `/llms.txt`."""

import gzip
from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Blueprint, Response, request, send_from_directory

from web.assets import STATIC
from web.examples import LANGUAGES, examples, markdown
from web.reference import Reference
from web.rendering import Site

_DAY_S = 86_400
# What belongs to one client, or expires. Published clips may be read: chat programs that show links obey this file.
_PRIVATE = ("/admin", "/files", "/jobs", "/metrics", "/readyz", "/uploads")


def blueprint(site: Site, document: Callable[[], dict[str, Any]]) -> Blueprint:
    """The routes.

    Args:
        document: The OpenAPI document of this server; called once.
    """
    docs = Blueprint("docs", __name__, template_folder="templates")
    reference = cache(lambda: Reference.of(document()))

    @cache
    def rendered(template: str) -> str:
        """Built once a process: it takes as long as some hundred other requests, and never changes."""
        shown = reference()
        return site.render(
            template, reference=shown, examples=examples(shown.url), languages=LANGUAGES.values(),
            markdown=markdown(shown.url), entry="pages/docs.js",
        )  # fmt: skip

    compressed = cache(lambda: gzip.compress(rendered("docs.html").encode(), mtime=0))  # a tenth of the size

    @docs.get("/docs")
    def docs_page() -> Response:
        small = request.accept_encodings["gzip"] > 0
        response = site.response(compressed() if small else rendered("docs.html"))
        if small:
            response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
        return response

    @docs.get("/llms.txt")
    def llms() -> Response:
        return _plain(rendered("llms.txt"))

    @docs.get("/robots.txt")
    def robots() -> Response:
        return _plain("\n".join(["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE), ""]))

    @docs.get("/favicon.ico")
    def favicon() -> Response:
        response = send_from_directory(STATIC, "favicon.ico", mimetype="image/vnd.microsoft.icon", conditional=True)
        response.headers["Cache-Control"] = f"public, max-age={_DAY_S}"
        return response

    return docs


def _plain(text: str) -> Response:
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = f"public, max-age={_DAY_S}"
    response.add_etag()
    response.make_conditional(request)
    return response
