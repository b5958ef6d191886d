"""Forms with a file (multipart/form-data), as they come in: sans-IO, and never a file in memory.

The grammar is python-multipart's; here its callbacks become a few events, and what a form may be
is held to limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from nekonex.web.limits import HttpLimits

__all__ = ["Field", "FileData", "FileEnd", "FileStart", "FormError", "FormEvent", "FormReader"]

FILE_FIELD: Final = "file"


class FormError(Exception):
    """The body is no form, or not one that is taken."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is complete. Names are in lower case: they are the same in any."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FileStart:
    """The file begins; fields that come after it are ignored."""


@dataclass(frozen=True, slots=True)
class FileData:
    """More of the file."""

    content: bytes


@dataclass(frozen=True, slots=True)
class FileEnd:
    """That was all of the file."""


FormEvent = Field | FileStart | FileData | FileEnd


class FormReader:
    """Turns the bytes of a form, however they are cut, into events.

    The file is the part that is named ``file``, or that has a file name.
    """

    def __init__(self, content_type: str, limits: HttpLimits) -> None:
        """Raise FormError for a content type that is no form with a file."""
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if kind != b"multipart/form-data" or not boundary:
            raise FormError("the content type is not multipart/form-data with a boundary")
        self._limits = limits
        self._events: list[FormEvent] = []
        self._parts = 0
        self._in_file = False
        self._had_file = False
        self._whole = False
        self._besides = 0
        """Bytes so far that are not the file's."""
        self._header = (bytearray(), bytearray())
        self._disposition = b""
        self._name = ""
        self._value = bytearray()
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": self._on_headers_finished,
                    "on_part_data": self._on_part_data,
                    "on_part_end": self._on_part_end,
                    "on_end": self._on_end,
                },
                max_header_size=limits.part_header_bytes,
            )
        except FormParserError as error:
            raise FormError(str(error)) from None

    def feed(self, data: bytes) -> list[FormEvent]:
        """Return what follows from more bytes; FormError if that is no form, or too much."""
        self._besides += len(data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise FormError(str(error)) from None
        if self._besides > self._limits.form_bytes:
            raise FormError("the form is too large, even without its file")
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Raise FormError unless that was a whole form."""
        if not self._whole:
            raise FormError("the form breaks off")

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > self._limits.max_fields:
            raise FormError("the form has too many parts")
        self._disposition = b""
        self._value = bytearray()

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _on_header_end(self) -> None:
        name, value = map(bytes, self._header)
        self._header = (bytearray(), bytearray())
        if name.lower() == b"content-disposition":
            self._disposition = value

    def _on_headers_finished(self) -> None:
        kind, options = parse_options_header(self._disposition.decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            raise FormError("a part of the form has no name")
        self._name = _text(options[b"name"]).lower()
        self._in_file = self._name == FILE_FIELD or b"filename" in options
        if not self._in_file:
            return
        if self._had_file:
            raise FormError("the form has two files")
        self._had_file = True
        self._events.append(FileStart())

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._besides -= end - start
            self._events.append(FileData(bytes(data[start:end])))
            return
        self._value.extend(data[start:end])
        if len(self._value) > self._limits.field_bytes:
            raise FormError("a field of the form is too long")

    def _on_part_end(self) -> None:
        if self._in_file:
            self._events.append(FileEnd())
        elif not self._had_file:
            self._events.append(Field(self._name, _text(bytes(self._value))))
        self._in_file = False

    def _on_end(self) -> None:
        self._whole = True


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise FormError("a field of the form is not in UTF-8") from None
