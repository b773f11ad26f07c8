"""The pages for people: the playground at `/`, `/about`, published clips at `/clips/<id>`, operators' `/admin`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from flask import Blueprint, Response, render_template, request

from riffusion.errors import Gone, NotFound
from riffusion.requests import title, untitled
from riffusion.storage import CONTENT_TYPES
from web.assets import asset, modules

# Where programs find the API that a page is about (RFC 8631).
SERVICE_LINKS = (
    '</openapi.json>; rel="service-desc"; type="application/json", '
    '</docs>; rel="service-doc"; type="text/html", '
    '</healthz>; rel="status"; type="application/json"'
)
_FIRST = ("prompt", "start", "end", "negative_prompt", "mode", "seed")


class PublishedClip(Protocol):
    """What a published clip's page shows."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def request(self) -> Mapping[str, Any]: ...
    @property
    def model(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def image_url(self) -> str: ...
    @property
    def audio_url(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def duration_s(self) -> float: ...
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...


def blueprint(describe: Callable[[str], PublishedClip], storage_origins: Iterable[str]) -> Blueprint:
    """The routes of all pages.

    Args:
        describe: A published clip by its share id; raises `NotFound` or `Gone` where there is none.
        storage_origins: Origins of the storage that links to files lead to, where they aren't this server's.
    """
    pages = Blueprint("pages", __name__, template_folder="templates")
    policy = security_policy(storage_origins)

    @pages.get("/")
    def playground() -> Response:
        return page("playground.html", policy, entry="pages/studio.js")

    @pages.get("/about")
    def about() -> Response:
        return page("about.html", policy, entry="pages/about.js")

    @pages.get("/admin")
    def admin() -> Response:
        return page("admin.html", policy, entry="pages/admin.js")

    @pages.get("/clips/<share_id>")
    def clip(share_id: str) -> Response:
        return clip_page(share_id, describe, policy)

    return pages


def clip_page(share_id: str, describe: Callable[[str], PublishedClip], policy: str) -> Response:
    """A published clip: to hear, to see, and to remix. Its head holds what chat programs show of a link to it."""
    try:
        shared = describe(share_id)
    except (NotFound, Gone) as error:
        status = HTTPStatus.GONE if isinstance(error, Gone) else HTTPStatus.NOT_FOUND
        return page("gone.html", policy, status=status, reason=str(error))
    return page(
        "clip.html",
        policy,
        entry="pages/clip.js",
        clip=shared,
        media_type=CONTENT_TYPES[f".{shared.format}"],
        title=title(shared.request) or untitled(shared.request["mode"]),
        recipe=recipe(shared.request),
    )


def security_policy(storage_origins: Iterable[str]) -> str:
    """Everything from here, files also from the storage, nothing inline, no other host."""
    storage = " ".join(storage_origins)
    return "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: {storage}".rstrip(),
        f"media-src 'self' blob: {storage}".rstrip(),
        f"connect-src 'self' {storage}".rstrip(),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ))  # fmt: skip


def page(template: str, policy: str, *, status: int = 200, **values: object) -> Response:
    """A page from a template, with its policy."""
    return page_response(render_template(template, asset=asset, modules=modules, **values), policy, status)


def page_response(html: str | bytes, policy: str, status: int = 200) -> Response:
    """A page with its policy. Browsers revalidate it at every visit, because it names the current assets."""
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Link"] = SERVICE_LINKS
    response.add_etag()
    response.make_conditional(request)
    return response


def recipe(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A request as lines of a table: those of the ends of an interpolation one by one, nothing that is empty."""
    lines: list[tuple[str, str]] = []
    first = [name for name in _FIRST if name in request]
    for name in first + [name for name in request if name not in _FIRST]:
        value = request[name]
        label = name.replace("_", " ")
        if name == "lora" and value:
            lines.append((label, ", ".join(f"{lora} {weight:g}" for lora, weight in value.items())))
        elif isinstance(value, Mapping):
            lines += [(f"{label}: {part}", text) for part, text in recipe(value)]
        elif value not in (None, ""):
            lines.append((label, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return lines
