"""The form with one file in which uploads and batches arrive, parsed as it is received."""

from typing import Any

from flask import Request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.formparser import FormDataParser

from riffusion.errors import InvalidRequest

FORM_TYPE = "multipart/form-data"
FIELD = "file"
MAX_PARTS = 8
ENVELOPE_BYTES = 16 << 10  # at most, of boundaries and part headers around the file
_BUFFER_BYTES = 256 << 10  # of a form that the parser may hold in memory: a few chunks, or a text field


def read_file(request: Request, open_file: Any, limit: int) -> FileStorage:
    """The form's file, written as it arrives; other parts are ignored.

    Args:
        open_file: called for each part with a file; returns what it is written to, an object with `write` and `seek`.
        limit: bytes of the file, beyond which the form is refused, give or take the form's own.

    Raises:
        InvalidRequest: the form has no such file, or several.
        BadRequest, RequestEntityTooLarge: it can't be read, or is too large.
    """
    parser = FormDataParser(
        open_file, max_content_length=limit + ENVELOPE_BYTES, max_form_memory_size=_BUFFER_BYTES,
        max_form_parts=MAX_PARTS, silent=False,
    )  # fmt: skip
    try:
        _, _, files = parser.parse_from_environ(request.environ)
    except HTTPException:
        raise
    except ValueError as error:
        raise BadRequest(f"The form can't be read: {str(error).rstrip('.')}.") from None
    parts = files.getlist(FIELD)
    if len(parts) != 1:
        raise not_one_file()
    return parts[0]


def not_one_file() -> InvalidRequest:
    """The refusal of a form with no file, or with several."""
    return InvalidRequest([{"field": FIELD, "message": "must hold exactly one file"}])
