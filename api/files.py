"""Sends files to holders of signed links, for a storage whose links lead to the API; others have links of their own."""

from flask import Blueprint, Response, request, send_file
from pydantic import BaseModel, Field
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.operations import BINARY, Reply, operation
from api.services import services
from riffusion.errors import Gone, NotFound

_KINDS = ("image/png", "audio/mpeg", "audio/wav", "audio/flac", "audio/ogg")

blueprint = Blueprint("files", __name__)


class LinkQuery(BaseModel):
    """What makes a link valid; written by the server only."""

    expires: str | None = Field(None, description="Unix seconds.")
    signature: str | None = Field(None, description="Over all the rest.")
    filename: str | None = Field(None, description="What to save it as.")


@blueprint.get("/files/<path:key>")
@operation(
    "Fetch a result",
    {
        200: Reply(
            "The file.", dict.fromkeys(_KINDS, BINARY), headers=("ETag", "Accept-Ranges", "Content-Disposition")
        ),
        206: Reply(
            "The part of it that `Range` asked for.", dict.fromkeys(_KINDS, BINARY),
            headers=("ETag", "Accept-Ranges", "Content-Range", "Content-Disposition"),
        ),
        304: Reply("As `If-None-Match` has it.", headers=("ETag",)),
    },
    query=LinkQuery,
    headers=("Range", "If-None-Match"),
    problems=(NotFound, Gone, RequestedRangeNotSatisfiable),
)  # fmt: skip
def fetch(key: str) -> Response:
    """Links come with jobs; they are not to be built by hand."""
    found = services().files.open_link(key, request.args)
    response = send_file(
        found.content, mimetype=found.content_type, download_name=found.filename, conditional=True, max_age=None
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response.headers["Cache-Control"] = f"private, max-age={services().settings.url_ttl_s}, immutable"
    return response
