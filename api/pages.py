"""The pages for people: the playground at `/`, `/about`, and what they are made of.

There is no build step: the browser loads the ES modules as they lie in `static/`. Their address holds a digest of all
files there, so that browsers keep them for good and a new version is seen at once.
"""

import hashlib
import mimetypes
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, send_from_directory
from flask.typing import ResponseReturnValue

from api.services import services
from riffusion.settings import Settings

STATIC = Path(__file__).parent / "static"
_A_YEAR_S = 31_536_000
_IMPORT = re.compile(r'^(?:import|export|\} from)\b.*?"\./([\w-]+\.js)"', re.MULTILINE)
# Windows and slim images map these wrongly or not at all; a module with another type is not run.
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("image/svg+xml", ".svg")

blueprint = Blueprint("pages", __name__, template_folder="templates")


@cache
def digest() -> str:
    """Changes whenever any file under `static/` does; read once a process."""
    found = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            found.update(str(path.relative_to(STATIC)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file under `static/`."""
    return f"/assets/{digest()}/{name}"


@cache
def modules(entry: str) -> tuple[str, ...]:
    """An ES module and all it imports, for preloading: without it the browser finds them one import at a time."""
    found = [entry]
    for name in found:
        for imported in _IMPORT.findall((STATIC / "js" / name).read_text()):
            if imported not in found:
                found.append(imported)
    return tuple(found)


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


def page(template: str, **values: object) -> Response:
    """A page with its policy; always asked for anew, because it names the current assets."""
    settings = services().settings
    response = Response(
        render_template(template, asset=asset, modules=modules, **values), content_type="text/html; charset=utf-8"
    )
    response.headers["Content-Security-Policy"] = security_policy(storage_origin(settings))
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return response


@blueprint.get("/")
def playground() -> Response:
    """The instrument."""
    return page("playground.html")


@blueprint.get("/about")
def about() -> Response:
    """How it works, with things to touch."""
    return page("about.html")


@blueprint.get("/assets/<version>/<path:name>")
def asset_file(version: str, name: str) -> ResponseReturnValue:
    """A file under `static/`: kept for good at its current address, asked for anew at an old one."""
    response = send_from_directory(STATIC, name, conditional=True)
    if version == digest():
        response.headers["Cache-Control"] = f"public, max-age={_A_YEAR_S}, immutable"
    else:
        response.headers["Cache-Control"] = "no-cache"
    return response
