"""JSON lines in a request's body, raw or as the file of a form: read in pieces, and passed on line by line."""

from collections.abc import Callable
from typing import Any

from flask import Request
from werkzeug.exceptions import (
    ClientDisconnected,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from api.file_form import FIELD, FORM_TYPE, not_one_file, read_file

JSONL_TYPE = "application/jsonl"
_PIECE_BYTES = 64 << 10


class LineSplitter:
    """What is written to it, as lines without their ends. The last line may lack its end."""

    def __init__(self, take: Callable[[bytes], None], most: int, most_of_line: int) -> None:
        """
        Args:
            take: called with each line.
            most: bytes of all lines together.
            most_of_line: bytes of one.
        """
        self._take = take
        self._left = most
        self._most_of_line = most_of_line
        self._pieces: list[bytes] = []
        self._size = 0  # bytes of the pieces
        self._number = 1

    def write(self, data: bytes) -> int:
        """Adds bytes.

        Raises:
            RequestEntityTooLarge: a line or all of them are too long.
        """
        self._left -= len(data)
        if self._left < 0:
            raise RequestEntityTooLarge
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            self._end_line()
        self._add(rest)
        return len(data)

    def end(self) -> None:
        """Ends the last line."""
        if self._size:
            self._end_line()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._most_of_line:
            raise RequestEntityTooLarge(f"Line {self._number} is longer than {self._most_of_line} bytes.")
        self._pieces.append(piece)

    def _end_line(self) -> None:
        line, self._pieces, self._size = b"".join(self._pieces), [], 0
        self._number += 1
        self._take(line.removesuffix(b"\r"))


def read_lines(request: Request, take: Callable[[bytes], None], most: int, most_of_line: int) -> None:
    """Passes each line of a body to `take`, as it comes in.

    Raises:
        UnsupportedMediaType: another content type.
        RequestEntityTooLarge: see `LineSplitter`.
        InvalidRequest: the form has no file, or several.
        BadRequest: the form can't be read, or the body broke off.
    """
    splitter = LineSplitter(take, most, most_of_line)
    if request.mimetype == JSONL_TYPE and request.mimetype_params.get("charset", "utf-8").lower() == "utf-8":
        request.max_content_length = most + 1  # a longer body without Content-Length is cut off by werkzeug
        size = 0
        while piece := request.stream.read(_PIECE_BYTES):
            size += splitter.write(piece)
        if size < (request.content_length or 0):  # which werkzeug leaves to gunicorn, and gunicorn to werkzeug
            raise ClientDisconnected("The connection was closed before the body's end.")
    elif request.mimetype == FORM_TYPE:
        _read_form(request, splitter, most)
    else:
        raise UnsupportedMediaType(f"Send {JSONL_TYPE} in UTF-8, or {FORM_TYPE} with it in the field `{FIELD}`.")
    splitter.end()


class _Sink:
    """The file of a form, for werkzeug's parser, which writes it and seeks to its start."""

    def __init__(self, splitter: LineSplitter) -> None:
        self.write = splitter.write

    def seek(self, offset: int) -> int:
        return offset


def _read_form(request: Request, splitter: LineSplitter, most: int) -> None:
    sinks: list[_Sink] = []

    def open_sink(**_: Any) -> _Sink:
        if sinks:
            raise not_one_file()
        sinks.append(_Sink(splitter))
        return sinks[0]

    read_file(request, open_sink, most)
