"""The files that pages are made of: style, scripts, sounds.

There is no build step: browsers load the ES modules as they are in `static/`. Their address contains a digest of all
files there, so that browsers cache them for good and load a new version at once.
"""

import gzip
import hashlib
import posixpath
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory

STATIC = Path(__file__).parent / "static"
_A_YEAR_S = 31_536_000
_IMPORT = re.compile(r'^(?:import|export|\} from)\b.*?"(\.[\w./-]+\.js)"', re.MULTILINE)
_TEXT = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

blueprint = Blueprint("assets", __name__)


@cache
def names() -> tuple[str, ...]:
    """Every file under `static/` that browsers need, which isn't so of types; read once per process."""
    files = (path for path in STATIC.rglob("*") if path.is_file() and path.suffix != ".ts")
    return tuple(sorted(path.relative_to(STATIC).as_posix() for path in files))


@cache
def digest() -> str:
    """Changes whenever any file under `static/` does; read once per process."""
    found = hashlib.sha256()
    for name in names():
        found.update(name.encode() + b"\0" + (STATIC / name).read_bytes())
    return found.hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file under `static/`."""
    return f"/assets/{digest()}/{name}"


@cache
def modules(entry: str) -> tuple[str, ...]:
    """An ES module and all it imports, for preloading: without it the browser finds them one import at a time."""
    found = [entry]
    for name in found:
        for relative in _IMPORT.findall((STATIC / "js" / name).read_text()):
            imported = posixpath.normpath(f"{posixpath.dirname(name)}/{relative}")
            if imported not in found:
                found.append(imported)
    return tuple(found)


@blueprint.get("/assets/<version>/<path:name>")
def asset_file(version: str, name: str) -> Response:
    """A file under `static/`: cached for good at its current address, revalidated at an old one."""
    if name not in names():
        abort(404)  # also for another spelling of a known name: compressed files are cached by name
    content_type = _TEXT.get(Path(name).suffix)
    response = send_from_directory(STATIC, name, mimetype=content_type, conditional=True)
    if content_type and request.accept_encodings["gzip"] and response.status_code == HTTPStatus.OK:
        response = Response(_compressed(name), content_type=f"{content_type}; charset=utf-8")
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    current = version == digest()
    response.headers["Cache-Control"] = f"public, max-age={_A_YEAR_S}, immutable" if current else "no-cache"
    return response


@cache
def _compressed(name: str) -> bytes:
    return gzip.compress((STATIC / name).read_bytes(), mtime=0)
