"""Generating the functions that encode.

A function first turns the fields of variable size into bytes, so that every length is
known, and then joins everything: each run of fixed-size fields, the headers and lengths
between them included, is one `pack`.

With `careful`, the value of each field is checked on its own before it is used, so that
an error can name the field and say what was expected. It runs when the fast function has
failed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nekonex.wire.emit_read import INLINE_DEPTH, INLINE_FIELDS
from nekonex.wire.layout import SCALAR_SIZE, Layout, LayoutField, LayoutLevel, Traits, layout_of
from nekonex.wire.scope import MAX_DEPTH, Scope
from nekonex.wire.source import Lines
from nekonex.wire.types import (
    Blob,
    Holder,
    ListOf,
    MapOf,
    Scalar,
    StructOf,
    Text,
    Url,
    VariantOf,
    Wire,
)

__all__ = ["WriteEmitter"]


@dataclass(slots=True)
class _Fixed:
    """A value to pack; the expression is empty for a zero byte."""

    code: str
    expression: str


@dataclass(slots=True)
class _Bytes:
    """Bytes that are there already, and an expression for their length."""

    expression: str
    length: str


_Piece = _Fixed | _Bytes
_Pieces = list[_Piece]


class WriteEmitter:
    """Writes one encoding function."""

    def __init__(self, scope: Scope, traits: Traits, *, careful: bool) -> None:
        self.places: list[tuple[str, str]] = [("", "")]
        """What each mark of the careful function stands for."""
        self._scope = scope
        self._traits = traits
        self._careful = careful
        self._lines = Lines()
        self._stack: list[type] = []
        self._nests = False

    def structure(self, name: str, layout: Layout) -> str:
        """Return the source of a function that writes a structure."""

        def body() -> _Pieces:
            self._expect(layout.cls, "value", layout.cls.__name__, "")
            return self._structure(layout, "value")

        return self._function(name, body)

    def record(self, name: str, level: LayoutLevel) -> str:
        """Return the source of a function that writes a sequence of values."""

        def body() -> _Pieces:
            self._mark(level.name, "")
            names = "".join(f"v_{field.name}, " for field in level.fields)
            self._lines.add(f"{names}= value" if names else "() = value")
            return self._fields(level, "v_")

        return self._function(name, body)

    def value(self, name: str, title: str, wire: Wire) -> str:
        """Return the source of a function that writes one value of any type."""

        def body() -> _Pieces:
            pieces: _Pieces = []
            self._mark(title, "")
            self._write(wire, "value", pieces)
            return pieces

        return self._function(name, body)

    def _function(self, name: str, body: Callable[[], _Pieces]) -> str:
        lines = self._lines
        if self._careful:
            lines.open("try:")
            lines.add("at = 0")
        pieces = self._packed(body())
        lines.add(f"return {self._joined(pieces)}")
        if self._careful:
            lines.close()
            lines.open("except WireError:")
            lines.add("raise")
            lines.close()
            lines.open("except ERRORS as error:")
            lines.add("raise describe(error, PLACES[at], None) from None")
            lines.close()
        outer = Lines()
        outer.open(f"def {name}(value, depth):")
        if self._nests:
            outer.open(f"if depth > {MAX_DEPTH}:")
            outer.add('raise MalformedError("structures are nested too deeply")')
            outer.close()
        indented = "".join(f"    {line}\n" for line in lines.text().splitlines())
        return outer.text() + indented

    def _mark(self, structure: str, field: str) -> None:
        if self._careful:
            self._lines.add(f"at = {len(self.places)}")
            self.places.append((structure, field))

    def _expect(self, cls: type, expression: str, structure: str, field: str) -> None:
        if self._careful:
            self._mark(structure, field)
            self._lines.add(f"check_structure({expression}, {self._scope.bind(cls.__name__, cls)})")

    def _check(self, kind: str, expression: str) -> None:
        if self._careful:
            self._lines.add(f"check_{kind}({expression})")

    # Joining.

    def _packed(self, pieces: _Pieces) -> list[str]:
        """Turn pieces into expressions of bytes, packing neighbours together."""
        result: list[str] = []
        run: list[_Fixed] = []

        def flush() -> None:
            if run:
                codes = [piece.code for piece in run]
                values = ", ".join(piece.expression for piece in run if piece.expression)
                result.append(f"{self._scope.packer(codes)}({values})")
                run.clear()

        for piece in pieces:
            if isinstance(piece, _Fixed):
                run.append(piece)
            else:
                flush()
                result.append(piece.expression)
        flush()
        return result

    @staticmethod
    def _joined(expressions: Sequence[str]) -> str:
        if not expressions:
            return 'b""'
        if len(expressions) == 1 and "(" in expressions[0]:
            return expressions[0]
        return f"join(({', '.join(expressions)},))"

    # Structures.

    def _structure(self, layout: Layout, source: str) -> _Pieces:
        self._stack.append(layout.cls)
        pieces: _Pieces = []
        for level in layout.levels:
            content = self._fields(level, f"{source}.")
            if self._traits.struct_header:
                revision = _Fixed("B", str(level.revision)) if level.revision else _Fixed("x", "")
                pieces += (revision, _Fixed("I", _length(content)))
            pieces += content
        self._stack.pop()
        return pieces

    def _fields(self, level: LayoutLevel, prefix: str) -> _Pieces:
        pieces: _Pieces = []
        for field in level.fields:
            if not field.present:
                continue
            self._mark(level.name, field.name)
            if field.optional:
                self._optional(field, f"{prefix}{field.name}", pieces)
            else:
                self._write(field.wire, f"{prefix}{field.name}", pieces)
        return pieces

    def _optional(self, field: LayoutField, source: str, pieces: _Pieces) -> None:
        made = self._scope.temp("s")
        self._lines.add(f'{made} = b""')
        self._lines.open(f"if {source} != {self._scope.default(field)}:")
        inner: _Pieces = []
        self._write(field.wire, source, inner)
        self._lines.add(f"{made} = {self._joined(self._packed(inner))}")
        self._lines.close()
        pieces.append(_Bytes(made, f"len({made})"))

    # Values.

    def _write(self, wire: Wire, source: str, pieces: _Pieces, *, item: bool = False) -> None:
        match wire:
            case Scalar(code=code, wrap=None):
                self._check(f"scalar_{'o' if code == '?' else code}", source)
                pieces.append(_Fixed(code, source))
            case Scalar(code=code):
                kind = "datetime" if code == "Q" else "result"
                self._check(kind, source)
                attribute = "value" if code == "Q" else "code"
                pieces.append(_Fixed(code, f"{source}.{attribute}"))
            case Text():
                self._check("text", source)
                self._text(f"{source}.encode()", pieces)
            case Url():
                self._check("url", source)
                self._text(f"write_url({source})", pieces)
            case Blob(code=code):
                self._check("buffer" if code == "I" else "qbuffer", source)
                made, length = self._scope.temp("s"), self._scope.temp("n")
                self._lines.add(f"{made} = {source}")
                self._lines.add(f"{length} = len({made})")
                pieces += (_Fixed(code, length), _Bytes(made, length))
            case VariantOf():
                self._call(f"write_variant({source})", pieces)
            case _:
                self._write_container(wire, source, pieces, item=item)

    def _write_container(self, wire: Wire, source: str, pieces: _Pieces, *, item: bool) -> None:
        match wire:
            case ListOf(item=item_wire):
                self._check("list", source)
                self._list(item_wire, source, pieces)
            case MapOf(key=key, value=value):
                self._check("dict", source)
                self._map(key, value, source, pieces)
            case StructOf(cls=cls):
                self._nested(cls, source, pieces, item=item)
            case Holder():
                self._nests = True
                verb = "write_careful" if self._careful else "write"
                self._call(f"HOLDERS.{verb}({source}, depth + 1)", pieces)

    def _call(self, call: str, pieces: _Pieces) -> None:
        made = self._scope.temp("s")
        self._lines.add(f"{made} = {call}")
        pieces.append(_Bytes(made, f"len({made})"))

    def _text(self, expression: str, pieces: _Pieces) -> None:
        made, length = self._scope.temp("s"), self._scope.temp("n")
        self._lines.add(f"{made} = {expression}")
        self._lines.add(f"{length} = len({made})")
        pieces += (_Fixed("H", f"{length} + 1"), _Bytes(made, length), _Fixed("x", ""))

    def _nested(self, cls: type, source: str, pieces: _Pieces, *, item: bool) -> None:
        layout = layout_of(cls, self._traits)
        fits = item or layout.field_count <= INLINE_FIELDS
        if fits and cls not in self._stack and len(self._stack) < INLINE_DEPTH:
            name = source
            if "." in source:
                name = self._scope.temp("v")
                self._lines.add(f"{name} = {source}")
            if self._careful:
                self._lines.add(f"check_structure({name}, {self._scope.bind(cls.__name__, cls)})")
            pieces += self._structure(layout, name)
            return
        self._nests = True
        verb = "write_careful" if self._careful else "write"
        self._call(f"{self._scope.codec(cls)}.{verb}({source}, depth + 1)", pieces)

    def _list(self, item: Wire, source: str, pieces: _Pieces) -> None:
        name, count = self._scope.temp("v"), self._scope.temp("n")
        self._lines.add(f"{name} = {source}")
        self._lines.add(f"{count} = len({name})")
        match item:
            case Scalar(code="B", name="u8"):
                made = self._scope.temp("s")
                self._items_check(item, name)
                self._lines.add(f"{made} = bytes({name})")
                pieces += (_Fixed("I", count), _Bytes(made, count))
            case Scalar(code=code, wrap=None):
                made = self._scope.temp("s")
                self._items_check(item, name)
                small = f"{self._scope.small_packers(code)}[{count}](*{name})"
                many = f'pack_many("{code}", {name})'
                self._lines.add(f"{made} = {small} if {count} < 17 else {many}")
                size = SCALAR_SIZE[code]
                length = f"{count} * {size}" if size > 1 else count
                pieces += (_Fixed("I", count), _Bytes(made, length))
            case _:
                made = self._begin_loop(f"for {(value := self._scope.temp('item'))} in {name}:")
                inner: _Pieces = []
                self._write(item, value, inner, item=True)
                self._end_loop(made, inner, count, pieces)

    def _items_check(self, item: Scalar, name: str) -> None:
        if self._careful:
            value = self._scope.temp("item")
            self._lines.open(f"for {value} in {name}:")
            self._check(f"scalar_{'o' if item.code == '?' else item.code}", value)
            self._lines.close()

    def _map(self, key: Wire, value: Wire, source: str, pieces: _Pieces) -> None:
        name, count = self._scope.temp("v"), self._scope.temp("n")
        self._lines.add(f"{name} = {source}")
        self._lines.add(f"{count} = len({name})")
        key_name, value_name = self._scope.temp("key"), self._scope.temp("item")
        made = self._begin_loop(f"for {key_name}, {value_name} in {name}.items():")
        inner: _Pieces = []
        self._write(key, key_name, inner)
        self._write(value, value_name, inner, item=True)
        self._end_loop(made, inner, count, pieces)

    def _begin_loop(self, header: str) -> str:
        made = self._scope.temp("parts")
        self._lines.add(f"{made} = []")
        self._lines.open(header)
        return made

    def _end_loop(self, made: str, inner: _Pieces, count: str, pieces: _Pieces) -> None:
        expressions = self._packed(inner)
        if expressions:
            self._lines.add(f"{made} += ({', '.join(expressions)},)")
        else:
            self._lines.add("pass")
        self._lines.close()
        joined = self._scope.temp("s")
        self._lines.add(f"{joined} = join({made})")
        pieces += (_Fixed("I", count), _Bytes(joined, f"len({joined})"))


def _length(pieces: _Pieces) -> str:
    """Return an expression for the size of pieces in bytes."""
    known = 0
    parts: list[str] = []
    for piece in pieces:
        if isinstance(piece, _Bytes):
            parts.append(piece.length)
        else:
            known += SCALAR_SIZE.get(piece.code, 1)
    return " + ".join([str(known), *parts])
