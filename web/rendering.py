"""How every page is rendered: its template, its assets, and a policy that allows nothing from anywhere else."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Response, render_template, request

from web.assets import asset, modules

# Where programs find the API that a page is about (RFC 8631).
SERVICE_LINKS = (
    '</openapi.json>; rel="service-desc"; type="application/json", '
    '</docs>; rel="service-doc"; type="text/html", '
    '</healthz>; rel="status"; type="application/json"'
)


@dataclass(frozen=True)
class Site:
    """What the pages of one server have in common."""

    public_url: str
    """Where links of this server's begin."""
    storage_origins: tuple[str, ...] = ()
    """Origins of the storage that links to files lead to, where they aren't this server's."""
    has_gallery: bool = False

    def page(self, template: str, *, status: int = 200, framed: bool = False, **values: object) -> Response:
        """A page from a template. See `response`."""
        return self.response(self.render(template, **values), status=status, framed=framed)

    def render(self, template: str, **values: object) -> str:
        """A template, which may name assets, the public address, and whether there is a gallery."""
        common = {"public_url": self.public_url.rstrip("/"), "has_gallery": self.has_gallery}
        return render_template(template, asset=asset, modules=modules, **common, **values)

    def response(self, html: str | bytes, *, status: int = 200, framed: bool = False) -> Response:
        """A page with its policy. Browsers revalidate it at every visit, because it names the current assets.

        Args:
            framed: whether pages of other sites may show it in a frame. It must then have nothing to press that
                matters: what is laid over it can lead a visitor's clicks.
        """
        response = Response(html, status, content_type="text/html; charset=utf-8")
        response.headers["Content-Security-Policy"] = security_policy(self.storage_origins, framed=framed)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Link"] = SERVICE_LINKS
        response.add_etag()
        response.make_conditional(request)
        return response


def security_policy(storage_origins: Iterable[str], *, framed: bool = False) -> str:
    """Everything from here, files also from the storage, nothing inline, no other host."""
    storage = " ".join(storage_origins)
    ancestors = "*" if framed else "'none'"
    return "; ".join((
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: {storage}".rstrip(),
        f"media-src 'self' blob: {storage}".rstrip(),
        f"connect-src 'self' {storage}".rstrip(),
        "base-uri 'none'",
        "form-action 'none'",
        f"frame-ancestors {ancestors}",
        "require-trusted-types-for 'script'",
    ))  # fmt: skip
