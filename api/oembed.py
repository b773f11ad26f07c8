"""oEmbed 1.0 (https://oembed.com): by the address of a published clip's page, other sites get a player to show.

The address is only compared with this server's own; nothing is fetched from anywhere.
"""

import re
from typing import Literal
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field

from api.json_body import JSON_TYPE
from api.operations import BINARY, Reply, operation
from api.query import read_query
from api.schemas import OEmbed, SharedClip
from api.services import services
from api.shares import describe
from riffusion.errors import Gone, InvalidRequest, NotFound, StoreUnavailable, TakenDown
from web.clip_pages import EMBED_HEIGHT, EMBED_WIDTH, embed_code, short_title

_CACHE_S = 600  # a clip that is deleted or taken down disappears by itself: the frame shows the server's page
_XML = "text/xml"
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2
_CLIP = re.compile(r"/clips/([A-Za-z0-9_-]{1,64})(?:/embed)?/?")

blueprint = Blueprint("oembed", __name__)


class OEmbedQuery(BaseModel):
    """What a consumer asks for; consumers send more of their own, which is ignored."""

    model_config = ConfigDict(extra="ignore")

    url: str = Field(min_length=1, description="The address of a published clip's page here.")
    maxwidth: int | None = Field(default=None, ge=1, le=100_000, description="Pixels.")
    maxheight: int | None = Field(default=None, ge=1, le=100_000, description="Pixels.")
    format: Literal["json", "xml"] = Field(default="json", description="Of the response.")


@blueprint.get("/oembed")
@operation(
    "Get a player for a published clip (oEmbed)",
    {200: Reply("How to show it.", {JSON_TYPE: OEmbed, _XML: BINARY})},
    query=OEmbedQuery,
    problems=(NotFound, Gone, TakenDown, InvalidRequest, StoreUnavailable),
)
def oembed() -> Response:
    """By oEmbed 1.0: clips' pages name this address in their heads."""
    query = read_query(OEmbedQuery)
    found = _present(describe(_share_id(query.url)), query)
    values = found.model_dump(exclude_none=True)
    body = _xml(values) if query.format == "xml" else found.model_dump_json(exclude_none=True)
    response = Response(body, content_type=f"{_XML}; charset=utf-8" if query.format == "xml" else JSON_TYPE)
    response.headers["Cache-Control"] = f"public, max-age={_CACHE_S}"
    return response


def _share_id(url: str) -> str:
    """The share that an address names.

    Raises:
        NotFound: it isn't the address of a clip's page here.
    """
    here = urlsplit(services().presenter.address(""))
    try:
        asked = urlsplit(url.strip())
        same_host = (asked.hostname, asked.port) == (here.hostname, here.port)
    except ValueError:  # a port that is no number, or brackets that hold no address
        same_host = False
    if same_host and asked.scheme in ("http", "https") and asked.path.startswith(here.path):
        found = _CLIP.fullmatch(asked.path.removeprefix(here.path))
        if found:
            return found[1]
    raise NotFound("This isn't the address of a published clip on this server.")


def _present(clip: SharedClip, query: OEmbedQuery) -> OEmbed:
    width = min(EMBED_WIDTH, query.maxwidth or EMBED_WIDTH)
    height = min(EMBED_HEIGHT, query.maxheight or EMBED_HEIGHT)
    fits = clip.width <= (query.maxwidth or clip.width) and clip.height <= (query.maxheight or clip.height)
    return OEmbed(
        provider_url=services().presenter.address("/"), title=short_title(clip), cache_age=_CACHE_S,
        html=str(embed_code(clip, width, height)), width=width, height=height,
        thumbnail_url=clip.image_url if fits else None, thumbnail_width=clip.width if fits else None,
        thumbnail_height=clip.height if fits else None,
    )  # fmt: skip


def _xml(values: dict[str, str | int]) -> bytes:
    root = Element("oembed")
    for name, value in values.items():
        SubElement(root, name).text = _NOT_IN_XML.sub("\ufffd", str(value))
    encoded: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded
