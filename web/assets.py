"""The files that pages are made of: style, scripts, sounds.

There is no build step: the browser loads the ES modules as they lie in `static/`. Their address holds a digest of all
files there, so that browsers keep them for good and a new version is seen at once.
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
    """Every file under `static/`; read once a process."""
    return tuple(sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()))


@cache
def digest() -> str:
    """Changes whenever any file under `static/` does; read once a process."""
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
    """A file under `static/`: kept for good at its current address, asked for anew at an old one."""
    if name not in names():
        abort(404)  # another spelling of one that is, too: what is compressed is kept by its name
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
