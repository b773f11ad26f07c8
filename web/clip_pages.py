"""Published clips' pages: the clip itself, its player for frames of other sites, and the gallery."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, request
from markupsafe import Markup

from riffusion.errors import Gone, NotFound, RiffusionError
from riffusion.requests import title, untitled
from riffusion.storage import CONTENT_TYPES
from web.rendering import Site

_MAX_TITLE = 120  # characters
EMBED_WIDTH, EMBED_HEIGHT = 560, 152  # CSS pixels; the player fits into any frame of some 120 by 60

_LABELS = {
    "denoising": "denoising strength", "init": "begins with", "lora": "LoRAs", "negative_prompt": "should not be",
    "scheduler": "sampler", "width": "length in columns of 10 ms",
}  # fmt: skip
_FIRST = ("prompt", "start", "end", "negative_prompt", "mode", "seed")


class PublishedClip(Protocol):
    """What a published clip's pages show."""

    @property
    def id(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def embed_url(self) -> str: ...
    @property
    def listed(self) -> bool: ...
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


class GalleryPage(Protocol):
    """What a page of the gallery shows."""

    @property
    def clips(self) -> Sequence[PublishedClip]: ...
    @property
    def next_cursor(self) -> str | None: ...


def add_routes(
    pages: Blueprint, site: Site, describe: Callable[[str], PublishedClip], read_gallery: Callable[[], GalleryPage]
) -> None:
    """Adds the routes of clips' pages.

    Args:
        describe: A published clip by its share id; raises `NotFound` or `Gone` where there is none.
        read_gallery: The page of the gallery that the current request asks for; raises `NotFound` where there is none.
    """

    @pages.get("/clips/<share_id>")
    def clip(share_id: str) -> Response:
        try:
            return _clip_page(site, describe(share_id))
        except (NotFound, Gone) as error:
            return site.page("gone.html", status=_status(error), reason=str(error))

    @pages.get("/clips/<share_id>/embed")
    def embed(share_id: str) -> Response:
        try:
            shared = describe(share_id)
        except (NotFound, Gone) as error:
            return site.page("embed.html", framed=True, status=_status(error), clip=None, reason=str(error))
        return site.page("embed.html", framed=True, clip=shared, title=short_title(shared))

    @pages.get("/gallery")
    def gallery() -> Response:
        try:
            found = read_gallery()
        except NotFound as error:
            return site.page("gone.html", status=_status(error), reason=str(error))
        clips = [(each, short_title(each)) for each in found.clips]
        return site.page(
            "gallery.html",
            entry="pages/gallery.js",
            clips=clips,
            next_cursor=found.next_cursor,
            first="cursor" not in request.args,
        )


def title_of(clip: PublishedClip) -> str:
    """What a clip is called."""
    return title(clip.request) or untitled(clip.request["mode"])


def short_title(clip: PublishedClip) -> str:
    """The same, cut off where it is one of many or in little space: a prompt may have thousands of characters."""
    full = title_of(clip)
    return full if len(full) <= _MAX_TITLE else f"{full[:_MAX_TITLE].rstrip()}…"


def embed_code(clip: PublishedClip, width: int = EMBED_WIDTH, height: int = EMBED_HEIGHT) -> Markup:
    """The HTML by which another site shows the player."""
    return Markup(
        '<iframe src="{}" width="{}" height="{}" title="{}" loading="lazy" style="border:0;max-width:100%"></iframe>'
    ).format(clip.embed_url, width, height, short_title(clip))


def recipe(request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A request as lines of a table: those of the ends of an interpolation one by one, nothing that is empty."""
    lines: list[tuple[str, str]] = []
    first = [name for name in _FIRST if name in request]
    for name in first + [name for name in request if name not in _FIRST]:
        value = request[name]
        label = _LABELS.get(name) or name.replace("_", " ")
        if name == "lora" and value:
            lines.append((label, ", ".join(f"{lora} {weight:g}" for lora, weight in value.items())))
        elif isinstance(value, Mapping):
            lines += [(f"{label}: {part}", text) for part, text in recipe(value)]
        elif value not in (None, ""):
            lines.append((label, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return lines


def _clip_page(site: Site, clip: PublishedClip) -> Response:
    """A published clip: to hear, see, embed and remix. Its head holds what other sites show of a link to it."""
    root = clip.url.removesuffix(f"/clips/{clip.id}")
    return site.page(
        "clip.html",
        entry="pages/clip.js",
        clip=clip,
        media_type=CONTENT_TYPES[f".{clip.format}"],
        title=title_of(clip),
        recipe=recipe(clip.request),
        oembed={kind: f"{root}/oembed?{urlencode({'url': clip.url, 'format': kind})}" for kind in ("json", "xml")},
        code=str(embed_code(clip)),
        embed_size=(EMBED_WIDTH, EMBED_HEIGHT),
        has_player_card=urlsplit(clip.url).scheme == "https",  # others are refused
    )


def _status(error: RiffusionError) -> int:
    return HTTPStatus.GONE if isinstance(error, Gone) else HTTPStatus.NOT_FOUND
