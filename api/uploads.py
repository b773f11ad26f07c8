"""Files from clients: streamed to a temporary file, probed, and stored; listed and deleted."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

from flask import Blueprint, Request, Response, request
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType

from api.authentication import caller, owner
from api.file_form import ENVELOPE_BYTES, FIELD, FORM_TYPE, MAX_PARTS, read_file
from api.json_body import JSON_TYPE, json_response
from api.operations import Reply, operation
from api.query import MAX_PAGE, PAGE, read_query
from api.representation import utc
from api.schemas import UploadedFile, UploadPage
from api.services import Services, services
from api.upload_limits import UploadSlot
from riffusion.errors import (
    Blocked,
    InvalidRequest,
    NotFound,
    StorageFull,
    StorageUnavailable,
    StoreUnavailable,
    TooManyRequests,
    Unauthorized,
    UnavailableError,
    UnreadableMedia,
)
from riffusion.jobs.uploads import Upload, UploadInfo

_EMPTY_FORM_BYTES = 64  # at least

# (offset, signature, content type): a file's type is detected by its content, not by its name.
PICTURES = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (8, b"WEBP", "image/webp"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
)
SOUNDS = (
    (8, b"WAVE", "audio/wav"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (4, b"ftyp", "audio/mp4"),
    (0, b"\x1aE\xdf\xa3", "audio/webm"),
    (8, b"AIF", "audio/aiff"),
    (0, b"ID3", "audio/mpeg"),
    *((0, bytes((0xFF, second)), "audio/mpeg") for second in (0xFB, 0xFA, 0xF3, 0xF2, 0xE3, 0xE2)),
)
_HEAD_BYTES = 16

blueprint = Blueprint("uploads", __name__)


class UploadForm(BaseModel):
    """The form; other parts are ignored."""

    model_config = ConfigDict(
        json_schema_extra={"maxProperties": MAX_PARTS, "additionalProperties": {"type": "string"}}
    )

    file: Annotated[bytes, WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"})]


class UploadQuery(BaseModel):
    """The page of a list of uploads."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=MAX_PAGE, description="Uploads a page.")
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$")] | None = Field(
        default=None, description="`next_cursor` of the page before."
    )


@blueprint.post("/uploads")
@operation(
    "Upload a picture or a sound",
    {201: Reply("Stored; requests of the same client may name its id.", {JSON_TYPE: UploadedFile})},
    body={FORM_TYPE: UploadForm},
    problems=(
        Unauthorized, Blocked, BadRequest, RequestEntityTooLarge, RequestTimeout, UnsupportedMediaType, InvalidRequest,
        UnreadableMedia, TooManyRequests, StorageUnavailable, StoreUnavailable, UnavailableError, StorageFull,
    ),
)  # fmt: skip
def upload() -> Response:
    """Accepts PNG, JPEG, WebP, GIF, BMP and TIFF; WAV, MP3, FLAC, Ogg, M4A, WebM and AIFF: by content, not by name.

    Each upload counts as a create before it is read, even if it is refused then. A client may send one at a time, a
    key a few.
    """
    here, client = services(), caller()
    limit = here.settings.max_upload_bytes
    size = limit if request.content_length is None else request.content_length - _EMPTY_FORM_BYTES
    if size > limit + ENVELOPE_BYTES:
        raise RequestEntityTooLarge
    size = min(max(size, 0), limit)
    with here.upload_limiter.slot(client) as slot:
        here.uploads.begin(client, size)
        with _received(request, limit, slot) as path:
            with slot.probe():
                info = _probe(path, here)
            with path.open("rb") as file:
                stored = here.uploads.add(client, file, info)
    return json_response(_present(stored), 201, cache="no-store")


@blueprint.get("/uploads")
@operation(
    "List the caller's uploads, newest first",
    {200: Reply("A page of them.", {JSON_TYPE: UploadPage})},
    query=UploadQuery,
    problems=(Unauthorized, InvalidRequest, TooManyRequests, StoreUnavailable),
)
def list_uploads() -> Response:
    """Needs a key or a `Riffusion-Secret`, and lists what was uploaded with it and is still kept."""
    query = read_query(UploadQuery)
    page = services().uploads.list(owner(), query.limit, query.cursor)
    return json_response(UploadPage(uploads=list(map(_present, page.uploads)), next_cursor=page.cursor))


@blueprint.delete("/uploads/<upload_id>")
@operation(
    "Delete an upload",
    {204: Reply("Deleted: requests can't name it any more.")},
    problems=(Unauthorized, NotFound, InvalidRequest, StoreUnavailable),
)
def delete_upload(upload_id: str) -> Response:
    """Jobs that were accepted with it are made all the same; its file is deleted once none of them needs it."""
    services().uploads.delete(upload_id, caller().identity)
    return Response(status=204)


def _present(stored: Upload) -> UploadedFile:
    info = stored.info
    return UploadedFile(
        id=stored.id, kind=info.kind, content_type=info.content_type, bytes=stored.size, sha256=stored.sha256,
        created_at=utc(stored.created_at),
        expires_at=utc(stored.expires_at),
        width=info.width, height=info.height, duration_s=info.duration_s,
    )  # fmt: skip


@contextmanager
def _received(incoming: Request, limit: int, slot: UploadSlot) -> Iterator[Path]:
    """The form's file as a temporary file, which is deleted afterwards; it is never whole in memory."""
    if incoming.mimetype != FORM_TYPE:
        raise UnsupportedMediaType(f"Send {FORM_TYPE} with the file in the field `{FIELD}`.")
    with ExitStack() as spools:

        def spool(**_: Any) -> IO[bytes]:
            file = spools.enter_context(tempfile.NamedTemporaryFile(prefix="riffusion-upload-"))
            write = file.write

            def take_and_write(data: bytes) -> int:
                slot.spool(len(data))
                return write(data)

            file.write = take_and_write  # type: ignore[method-assign, assignment]
            return file

        try:
            part = read_file(incoming, spool, limit)
        except OSError:
            raise StorageUnavailable("The server has no room for this file now; try again later.") from None
        part.stream.flush()
        if Path(part.stream.name).stat().st_size > limit:
            raise RequestEntityTooLarge
        yield Path(part.stream.name)


def _probe(path: Path, here: Services) -> UploadInfo:
    # Imported here, because Pillow and its plugins take a tenth of the API's start.
    from riffusion.audio.probe import probe_audio
    from riffusion.spectrogram.probe import probe_picture

    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if content_type := _sniff(head, PICTURES):
        image = probe_picture(path)
        return UploadInfo("image", content_type, width=image.width, height=image.height)
    if content_type := _sniff(head, SOUNDS):
        audio = probe_audio(path, max_seconds=here.settings.max_audio_s)
        return UploadInfo("audio", content_type, duration_s=audio.duration_s, channels=audio.channels)
    raise UnreadableMedia("The file is not a picture or sound in a supported format.")


def _sniff(head: bytes, kinds: tuple[tuple[int, bytes, str], ...]) -> str | None:
    return next((kind for offset, magic, kind in kinds if head[offset : offset + len(magic)] == magic), None)
