"""The gallery as JSON. Its page for people is in web/clip_pages.py."""

from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from api.ip_networks import address_client
from api.json_body import JSON_TYPE, json_response
from api.operations import Reply, operation
from api.query import read_query
from api.schemas import Gallery
from api.services import services
from api.shares import NO_GALLERY, present_clip
from riffusion.errors import InvalidRequest, NotFound, StoreUnavailable, TooManyRequests

PAGE = 12
MAX_PAGE = 48
Cursor = Annotated[str, Field(pattern="^[0-9]{1,16}$")]

blueprint = Blueprint("gallery", __name__)


class GalleryQuery(BaseModel):
    """The page of the gallery. Other parameters are ignored: social networks add theirs to links to it."""

    model_config = ConfigDict(extra="ignore")

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Clips a page.")
    cursor: Cursor | None = Field(default=None, description="`next_cursor` of the page before.")


@blueprint.get("/gallery.json")
@operation(
    "Read the gallery, newest first",
    {200: Reply("A page of it.", {JSON_TYPE: Gallery})},
    query=GalleryQuery,
    problems=(NotFound, InvalidRequest, TooManyRequests, StoreUnavailable),
)
def gallery() -> Response:
    """Published clips that their publishers have listed. 404 unless the operator has switched the gallery on."""
    return json_response(read_gallery(), cache="no-cache")


def read_gallery() -> Gallery:
    """The page of the gallery that the current request asks for.

    Raises:
        NotFound: this server has no gallery.
        InvalidRequest: the request's parameters are out of range.
        TooManyRequests: the client asks for lists too often.
        StoreUnavailable: Redis doesn't respond.
    """
    here = services()
    if not here.settings.gallery:
        raise NotFound(NO_GALLERY)
    query = read_query(GalleryQuery)
    address, networks = address_client(request)
    page = here.gallery.page(query.limit, query.cursor or "", (address, *networks))
    clips = [present_clip(each.share_id, each.record, each.listed) for each in page.clips]
    return Gallery(clips=clips, next_cursor=page.cursor)
