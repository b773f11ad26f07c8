"""The pages for people: the playground at `/`, `/about`, published clips at `/clips/<share id>`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request

from api.assets import asset, modules
from api.problems import status_of
from api.services import services
from api.shares import describe
from riffusion.errors import Gone, NotFound
from riffusion.jobs.files import CONTENT_TYPES
from riffusion.requests import title, untitled
from riffusion.settings import Settings

_FIRST = ("prompt", "start", "end", "negative_prompt", "mode", "seed")

blueprint = Blueprint("pages", __name__, template_folder="templates")


def storage_origin(settings: Settings) -> str:
    """The origin that result links point to, where it isn't this server's; "" where it is."""
    if settings.storage == "local":
        return ""
    endpoint = settings.s3_public_endpoint or settings.s3_endpoint
    if endpoint is None:
        return f"https://{settings.s3_bucket}.s3.{settings.s3_region}.amazonaws.com https://s3.{settings.s3_region}.amazonaws.com"
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def security_policy(storage: str) -> str:
    """Everything from here, files also from the storage, nothing inline, no other host."""
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


def page(template: str, *, status: int = 200, **values: object) -> Response:
    """A page with its policy; always asked for anew, because it names the current assets."""
    settings = services().settings
    response = Response(
        render_template(template, asset=asset, modules=modules, **values),
        status,
        content_type="text/html; charset=utf-8",
    )
    response.headers["Content-Security-Policy"] = security_policy(storage_origin(settings))
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    response.make_conditional(request)
    return response


@blueprint.get("/")
def playground() -> Response:
    """The instrument."""
    return page("playground.html", entry="studio.js")


@blueprint.get("/about")
def about() -> Response:
    """How it works, with things to touch."""
    return page("about.html", entry="about.js")


@blueprint.get("/clips/<share_id>")
def clip(share_id: str) -> Response:
    """A published clip: to hear, to see, and to remix. Its head tells chat programs what to unfurl."""
    try:
        shared = describe(share_id)
    except (NotFound, Gone) as error:
        return page("gone.html", status=status_of(type(error)), words=str(error))
    return page(
        "clip.html",
        entry="clip.js",
        clip=shared,
        media_type=CONTENT_TYPES[f".{shared.format}"],
        title=title(shared.request) or untitled(shared.mode),
        recipe=recipe(shared.request),
    )


def recipe(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A request as lines of a table: those of the ends of an interpolation one by one, nothing that is empty."""
    lines: list[tuple[str, str]] = []
    first = [name for name in _FIRST if name in request]
    for name in first + [name for name in request if name not in _FIRST]:
        value = request[name]
        words = name.replace("_", " ")
        if name == "lora" and value:
            lines.append((words, ", ".join(f"{lora} {weight:g}" for lora, weight in value.items())))
        elif isinstance(value, Mapping):
            lines += [(f"{words}: {part}", text) for part, text in recipe(value)]
        elif value not in (None, ""):
            lines.append((words, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return lines
