"""The pages for people: the playground at `/`, `/about`, operators' `/admin`. Clips' pages are in clip_pages.py."""

from collections.abc import Callable

from flask import Blueprint, Response

from web import clip_pages
from web.clip_pages import GalleryPage, PublishedClip
from web.rendering import Site


def blueprint(
    site: Site, describe: Callable[[str], PublishedClip], read_gallery: Callable[[], GalleryPage]
) -> Blueprint:
    """The routes of all pages; see `clip_pages.add_routes`."""
    pages = Blueprint("pages", __name__, template_folder="templates")

    @pages.get("/")
    def playground() -> Response:
        return site.page("playground.html", entry="pages/studio.js")

    @pages.get("/about")
    def about() -> Response:
        return site.page("about.html", entry="pages/about.js")

    @pages.get("/admin")
    def admin() -> Response:
        return site.page("admin.html", entry="pages/admin.js")

    clip_pages.add_routes(pages, site, describe, read_gallery)
    return pages
