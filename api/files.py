"""Files of the local storage, to whoever holds a signed link. With S3, links lead there and this address is empty."""

from flask import Blueprint, Response, abort, request, send_file
from pydantic import BaseModel, Field
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from api.operations import BINARY, Reply, operation
from api.services import services
from riffusion.errors import Gone, NotFound
from riffusion.storage.local import LocalFiles

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
    storage = services().files
    if not isinstance(storage, LocalFiles):
        abort(404)
    found = storage.verify(key, request.args)
    response = send_file(
        found.path.absolute(), mimetype=found.content_type, download_name=found.filename, conditional=True, max_age=None
    )
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    response.headers["Cache-Control"] = f"private, max-age={services().settings.url_ttl_s}, immutable"
    return response
