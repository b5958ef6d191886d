"""The spec sheet of a plugin, ``spec.conf``.

A line whose first character is ``$`` begins a directive, ``$ name { "value" } ;``, which may go on
over further lines; what follows its ``;`` on that line, and every other line, is a comment. Lines
end with LF, CRLF or CR.

Errors tell where: line and column count from 1, columns in characters (a tab is one, a byte order
mark none). They point at the character that is there instead of the expected one, or directly
behind what was read last where the line ends before anything else comes.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = [
    "MAX_GREETER",
    "MAX_SPEC_SIZE",
    "REQUIRED",
    "RESERVED_GREETERS",
    "SPEC_FILE",
    "Directive",
    "PluginSpec",
    "SpecError",
    "decode_spec",
    "parse_spec",
    "read_directives",
    "read_spec",
]

SPEC_FILE: Final = "spec.conf"
"""The name of the spec sheet in a plugin's folder."""
REQUIRED: Final = ("name", "greet", "logic", "version")
"""The directives that every spec sheet has."""
RESERVED_GREETERS: Final = ("auth", "nekoconnect-server")
"""Greeters that the protocol itself uses."""
MAX_GREETER: Final = 255
"""Bytes of a greeter in UTF-8: its length is one byte of a frame."""
MAX_SPEC_SIZE: Final = 256 * 1024
"""Bytes of a spec sheet."""

_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


class SpecError(Exception):
    """A spec sheet is wrong; the text of the error is ``FILE:LINE:COL: TEXT``."""

    def __init__(self, file: str, line: int, column: int, text: str) -> None:
        super().__init__(file, line, column, text)
        self.file = file
        self.line = line
        self.column = column
        self.text = text

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """What a spec sheet says."""

    name: str
    greeter: str
    logic: str
    """The file with the class `Logic`, without ``.py``."""
    version: str
    others: Mapping[str, str]
    """The directives that nekonex does not know, by name."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive of a spec sheet, and where it and its value begin, counted from 1."""

    name: str
    value: str
    line: int
    column: int
    value_line: int
    value_column: int


def read_spec(folder: Path) -> PluginSpec:
    """Read the spec sheet of a plugin's folder, and see that the logic file is there.

    Raises SpecError, also where the file cannot be read.
    """
    file, text = _read(folder)
    scanner = _Scanner(text, file)
    directives = _checked(scanner)
    spec = _spec(directives)
    if not os.path.isfile(folder / f"{spec.logic}.py"):  # noqa: PTH113 - False for any bad name
        logic = directives["logic"]
        raise SpecError(
            file,
            logic.value_line,
            logic.value_column,
            f"logic file {spec.logic}.py not found",
        )
    return spec


def read_directives(folder: Path) -> list[Directive]:
    """Return the directives of a folder's spec sheet in their order. Raises SpecError."""
    file, text = _read(folder)
    return list(_checked(_Scanner(text, file)).values())


def parse_spec(text: str, file: str) -> PluginSpec:
    """Parse a spec sheet; ``file`` is what errors call it. Raises SpecError.

    Whether the logic file is there is not looked at.
    """
    return _spec(_checked(_Scanner(text, file)))


def decode_spec(content: bytes, file: str) -> str:
    """Return the text of a spec sheet; ``file`` is what errors call it. Raises SpecError."""
    if len(content) > MAX_SPEC_SIZE:
        raise SpecError(file, 1, 1, f"has more than {MAX_SPEC_SIZE} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        sound = _Scanner(content[: error.start].decode(), file)
        text = f"expected UTF-8, found the byte 0x{content[error.start]:02x}"
        raise sound.error(sound.end, text) from None


def _read(folder: Path) -> tuple[str, str]:
    """Return what errors call the spec sheet, and its text."""
    path = folder / SPEC_FILE
    file = str(path)
    try:
        with open(path, "rb", opener=_open_at_once) as source:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise SpecError(file, 1, 1, "is no plain file")
            return file, decode_spec(source.read(MAX_SPEC_SIZE + 1), file)
    except OSError as error:
        raise SpecError(file, 1, 1, f"cannot be read: {error.strerror or error}") from None


def _open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for somebody at the other end of it, as a pipe would."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _spec(directives: Mapping[str, Directive]) -> PluginSpec:
    others = {name: each.value for name, each in directives.items() if name not in REQUIRED}
    return PluginSpec(
        name=directives["name"].value,
        greeter=directives["greet"].value,
        logic=directives["logic"].value.removesuffix(".py"),
        version=directives["version"].value,
        others=others,
    )


def _checked(scanner: _Scanner) -> dict[str, Directive]:
    """Return all directives by name, each checked where it stands, the required ones there."""
    directives = {each.name: each for each in scanner.directives()}
    for name in REQUIRED:
        if name not in directives:
            text = f"missing ${name} (required: {', '.join(REQUIRED)})"
            raise scanner.error(scanner.end, text)
    return directives


class _Scanner:
    """Goes through the text of a spec sheet once."""

    def __init__(self, text: str, file: str) -> None:
        text = text.removeprefix("\ufeff")
        self._text = text.replace("\r\n", "\n").replace("\r", "\n")
        self._file = file
        self.end = len(self._text)
        self._line_starts = [0]
        start = self._text.find("\n") + 1
        while start:
            self._line_starts.append(start)
            start = self._text.find("\n", start) + 1

    def error(self, position: int, text: str) -> SpecError:
        """Return an error that points at a position of the text."""
        return SpecError(self._file, *self._place(position), text)

    def directives(self) -> Iterator[Directive]:
        """Yield the directives as they come. Raises SpecError at the first mistake."""
        first_lines: dict[str, int] = {}
        position = 0
        while position < self.end:
            if self._text[position] == "$":
                directive, position = self._directive(position, first_lines)
                first_lines[directive.name] = directive.line
                yield directive
            position = self._line_end(position) + 1

    def _directive(self, start: int, first_lines: Mapping[str, int]) -> tuple[Directive, int]:
        """Read the directive that begins at ``start``; return where it ends, too."""
        name_start = self._skip_space(start + 1)
        name_end = name_start
        while name_end < self.end and _in_name(self._text[name_end]):
            name_end += 1
        if name_end == name_start:
            raise self._unexpected(start + 1, "expected a directive name after $")
        name = self._text[name_start:name_end]
        if name in first_lines:
            text = f"${name} is given twice (first at line {first_lines[name]})"
            raise self.error(start, text)
        opened = self._expect("{", name_end, f"expected {{ after ${name}")
        value_start = self._expect('"', opened, f'expected " to open the value of ${name}')
        line_end = self._line_end(value_start)
        value_end = self._text.find('"', value_start, line_end)
        if value_end < 0:
            text = f'expected " to close the value of ${name} before the end of the line'
            raise self.error(line_end, text)
        value = self._text[value_start:value_end]
        if wrong := _fault(name, value):
            offset, text = wrong
            raise self.error(value_start + offset, text)
        closed = self._expect("}", value_end + 1, f"expected }} after the value of ${name}")
        end = self._expect(";", closed, f"expected ; after ${name} {{…}}")
        return Directive(name, value, *self._place(start), *self._place(value_start)), end

    def _expect(self, character: str, after: int, text: str) -> int:
        """Return the position behind ``character``, which may have white space before it."""
        position = self._skip_space(after)
        if not self._text.startswith(character, position):
            raise self._unexpected(after, text)
        return position + 1

    def _unexpected(self, after: int, text: str) -> SpecError:
        found = self._skip_space(after)
        # Where the line just ends, its end is what has to be mended, not what comes lines later.
        if found == self.end or "\n" in self._text[after:found]:
            found = after
        return self.error(found, text)

    def _skip_space(self, position: int) -> int:
        while position < self.end and self._text[position].isspace():
            position += 1
        return position

    def _line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return self.end if end < 0 else end

    def _place(self, position: int) -> tuple[int, int]:
        line = bisect_right(self._line_starts, position)
        return line, position - self._line_starts[line - 1] + 1


def _in_name(character: str) -> bool:
    return character.isalnum() or character in "_-."


def _fault(name: str, value: str) -> tuple[int, str] | None:
    """Return what is wrong with a value, and at which of its characters; None if it is fine."""
    if name not in REQUIRED:
        return None
    if not value.strip():
        return 0, f"${name} is empty"
    for offset, character in enumerate(value):
        if unicodedata.category(character) in _UNPRINTABLE:
            text = f"{name} must not contain control characters (U+{ord(character):04X})"
            return offset, text
    if name == "greet":
        return _greeter_fault(value)
    if name == "logic":
        return _logic_fault(value)
    if value.startswith("."):
        return 0, f"{name} must not begin with a dot"
    for offset, character in enumerate(value):
        if character in "/\\":
            return offset, f"{name} must not contain {character}"
    return None


def _greeter_fault(value: str) -> tuple[int, str] | None:
    if value in RESERVED_GREETERS:
        return 0, f'greet "{value}" is reserved'
    if len(value.encode()) > MAX_GREETER:
        return 0, f"greet is longer than {MAX_GREETER} bytes"
    return None


def _logic_fault(value: str) -> tuple[int, str] | None:
    if "/" in value or "\\" in value:
        return 0, f'logic "{value}" must be a file name without a path'
    if not value.removesuffix(".py"):
        return 0, "$logic is empty"
    return None
