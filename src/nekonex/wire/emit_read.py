"""Generating the functions that decode.

One function reads one structure. `p` is where it is in `data`; consecutive fields of
fixed size are taken by one `unpack`, together with the length of whatever follows them,
and the position is advanced only when a size is known at run time alone. Nested
structures and the items of lists are inlined where that saves calls.

Bounds: `unpack` refuses to read past the end of the input, slices cannot, and at the end
of each level the position is compared with where the level had to end. Nothing is
allocated for a count before the input has been found long enough for it.

With `careful`, the same walk marks each field before it is read and checks after it, so
that an error can name its field. It runs when the fast function has failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from nekonex.wire.cursor import Cursor
from nekonex.wire.layout import (
    SCALAR_SIZE,
    Layout,
    LayoutField,
    LayoutLevel,
    Traits,
    layout_of,
    minimum_size,
)
from nekonex.wire.scope import MAX_DEPTH, MAX_EMPTY_ITEMS, Scope
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

__all__ = ["ReadEmitter"]

INLINE_FIELDS = 12
"""Structures with more fields are read by a call, unless they are the items of a list."""

INLINE_DEPTH = 4
"""Structures are inlined into each other this deep."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """When fields are read: tests that must hold, and whether bytes must remain."""

    tests: tuple[str, ...]
    bytes_remain: bool


class ReadEmitter:
    """Writes one decoding function."""

    def __init__(self, scope: Scope, traits: Traits, *, careful: bool) -> None:
        self.places: list[tuple[str, str]] = [("", "")]
        """What each mark of the careful function stands for."""
        self._scope = scope
        self._traits = traits
        self._careful = careful
        self._lines = Lines()
        self._cursor = Cursor(scope, self._lines)
        self._stack: list[type] = []
        self._nests = False
        self._bounded = False

    def structure(self, name: str, layout: Layout) -> str:
        """Return the source of a function that reads a structure."""
        return self._function(name, lambda: self._structure_body(layout))

    def record(self, name: str, level: LayoutLevel) -> str:
        """Return the source of a function that reads the fields of a level into a tuple."""
        return self._function(name, lambda: self._record_body(level))

    def value(self, name: str, title: str, wire: Wire) -> str:
        """Return the source of a function that reads one value of any type."""
        return self._function(name, lambda: self._value_body(title, wire))

    def _function(self, name: str, body: Callable[[], str]) -> str:
        lines = self._lines
        if self._careful:
            lines.open("try:")
            lines.add("at, q = 0, p")
        result = body()
        self._cursor.advance()
        if not self._bounded:
            lines.open("if p > end:")
            lines.add('raise MalformedError("the input ends too early")')
            lines.close()
        lines.add(f"return {result}, p")
        if self._careful:
            lines.close()
            lines.open("except WireError:")
            lines.add("raise")
            lines.close()
            lines.open("except ERRORS as error:")
            lines.add("raise describe(error, PLACES[at], q) from None")
            lines.close()
        outer = Lines()
        outer.open(f"def {name}(data, p, end, depth):")
        if self._nests:
            outer.open(f"if depth > {MAX_DEPTH}:")
            outer.add('raise MalformedError("structures are nested too deeply")')
            outer.close()
        indented = "".join(f"    {line}\n" for line in lines.text().splitlines())
        return outer.text() + indented

    def _structure_body(self, layout: Layout) -> str:
        made = self._scope.temp("o")
        self._structure(layout, made, "", "end")
        self._bounded = self._traits.struct_header
        return made

    def _record_body(self, level: LayoutLevel) -> str:
        names = [f"v_{field.name}" for field in level.fields]
        self._level_fields(level, "v_", "end", revision=None, record=True)
        return f"({', '.join(names)}{',' if len(names) == 1 else ''})"

    def _value_body(self, title: str, wire: Wire) -> str:
        self._mark(title, "")
        self._read(wire, "value", "end")
        return "value"

    def _mark(self, structure: str, field: str) -> None:
        if self._careful:
            self._cursor.advance()
            self._lines.add(f"at, q = {len(self.places)}, p")
            self.places.append((structure, field))

    def _check(self, end: str) -> None:
        if self._careful:
            self._cursor.advance()
            self._lines.open(f"if p > {end}:")
            self._lines.add('raise MalformedError("the input ends inside it")')
            self._lines.close()

    # Structures.

    def _structure(self, layout: Layout, made: str, target: str, end: str) -> None:
        """Read a structure into a local variable, which is stored in `target` too."""
        self._stack.append(layout.cls)
        places = f"{target} = {made}" if target else made
        self._lines.add(f"{places} = new({self._scope.bind(layout.cls.__name__, layout.cls)})")
        for level in layout.levels:
            if self._traits.struct_header:
                self._headed_level(level, f"{made}.", end)
            else:
                self._level_fields(level, f"{made}.", end, revision=None)
        self._stack.pop()

    def _headed_level(self, level: LayoutLevel, prefix: str, end: str) -> None:
        length, level_end = self._scope.temp("n"), self._scope.temp("end")
        asked = any(field.present and field.floor for field in level.fields)
        revision = self._scope.temp("revision") if asked else None
        self._mark(level.name, "(header)")
        self._cursor.fixed("B", revision)
        self._cursor.fixed("I", length)
        self._cursor.after(f"{level_end} = {self._cursor.position()} + {length}")
        if self._careful:
            self._cursor.flush()
            self._lines.open(f"if {level_end} > {end}:")
            self._lines.add('raise MalformedError("the structure is longer than the input")')
            self._lines.close()
        self._level_fields(level, prefix, level_end, revision=revision)
        self._cursor.flush()
        self._lines.open(f"if {self._cursor.position()} > {level_end} or {level_end} > {end}:")
        self._lines.add('raise MalformedError("the structure does not fit its length")')
        self._lines.close()
        self._cursor.jump(level_end)

    def _level_fields(
        self,
        level: LayoutLevel,
        prefix: str,
        end: str,
        *,
        revision: str | None,
        record: bool = False,
    ) -> None:
        for condition, fields in self._segments(level, revision, record=record):
            if condition is None:
                self._fields(level.name, fields, prefix, end)
            else:
                self._conditional(level.name, condition, fields, prefix, end)

    def _conditional(
        self,
        structure: str,
        condition: _Condition,
        fields: Sequence[LayoutField],
        prefix: str,
        end: str,
    ) -> None:
        if self._careful:
            self._cursor.advance()
        self._cursor.settle()
        parts = list(condition.tests)
        if condition.bytes_remain:
            parts.append(f"{self._cursor.position()} < {end}")
        # What was collected so far is read in both branches, so that it stays one run with
        # what follows in the branch that is taken nearly always.
        collected = self._cursor.save()
        self._lines.open(f"if {' and '.join(parts)}:")
        self._fields(structure, fields, prefix, end)
        self._cursor.advance()
        self._lines.close()
        self._cursor.restore(collected)
        self._lines.open("else:")
        self._cursor.advance()
        for field in fields:
            self._lines.add(f"{prefix}{field.name} = {self._scope.default(field)}")
        self._lines.close()

    def _segments(
        self, level: LayoutLevel, revision: str | None, *, record: bool
    ) -> Iterator[tuple[_Condition | None, Sequence[LayoutField]]]:
        """Yield runs of fields with the condition under which they are in the input.

        The fast function takes a tail as a whole; where the input has only the first part
        of it, the function fails, and the careful one reads it group by group.
        """
        headed = self._traits.struct_header and not record

        def condition(field: LayoutField) -> tuple[_Condition | None, object]:
            if not field.present:
                return (None, None)
            tests = (f"{revision} >= {field.floor}",) if headed and field.floor else ()
            remain = field.optional or (field.tail and (headed or (record and field.has_default)))
            if not tests and not remain:
                return (None, None)
            group = field.group if self._careful or field.optional else None
            return (_Condition(tests, remain), group)

        for (found, _), fields in groupby(level.fields, condition):
            yield found, list(fields)

    def _fields(self, structure: str, fields: Sequence[LayoutField], prefix: str, end: str) -> None:
        for field in fields:
            target = f"{prefix}{field.name}"
            if not field.present:
                self._lines.add(f"{target} = {self._scope.default(field)}")
                continue
            self._mark(structure, field.name)
            self._read(field.wire, target, end)
            self._check(end)

    # Values.

    def _read(self, wire: Wire, target: str, end: str, *, item: bool = False) -> None:
        match wire:
            case Scalar(code=code, wrap=None):
                self._cursor.fixed(code, target)
            case Scalar(code=code, wrap=wrap):
                self._wrapped(code, "datetime" if code == "Q" else "result", wrap, target)
            case Text():
                self._text(target)
            case Url():
                text = self._scope.temp("text")
                self._text(text)
                self._lines.add(f"{target} = read_url({text})")
            case Blob(code=code):
                length = self._scope.temp("n")
                self._cursor.fixed(code, length)
                self._cursor.advance_by(length)
                self._lines.add(f"{target} = data[p - {length} : p]")
            case VariantOf():
                self._call("read_variant(data, p)", target)
            case _:
                self._read_container(wire, target, end, item=item)

    def _read_container(self, wire: Wire, target: str, end: str, *, item: bool) -> None:
        match wire:
            case ListOf(item=item_wire):
                self._list(item_wire, target, end)
            case MapOf(key=key, value=value):
                self._map(key, value, target, end)
            case StructOf(cls=cls):
                self._nested(cls, target, end, item=item)
            case Holder():
                self._nests = True
                verb = "read_careful" if self._careful else "read"
                self._call(f"HOLDERS.{verb}(data, p, {end}, depth + 1)", target)

    def _call(self, call: str, target: str) -> None:
        self._cursor.advance()
        self._lines.add(f"{target}, p = {call}")

    def _wrapped(self, code: str, kind: str, wrap: type | None, target: str) -> None:
        raw, made = self._scope.temp("n"), self._scope.temp("w")
        self._cursor.fixed(code, raw)
        name = wrap.__name__ if wrap is not None else ""
        self._cursor.after(f"{target} = {made} = new({name})")
        self._cursor.after(f"set_{kind}({made}, {raw})")

    def _text(self, target: str) -> None:
        length = self._scope.temp("n")
        self._cursor.fixed("H", length)
        self._cursor.advance_by(length)
        taken = f"data[p - {length} : p - 1].decode()"
        self._lines.add(f'{target} = {taken} if {length} > 1 else ""')
        self._lines.open(f"if {length} and data[p - 1]:")
        self._lines.add('raise MalformedError("the string does not end with a NUL")')
        self._lines.close()

    def _nested(self, cls: type, target: str, end: str, *, item: bool) -> None:
        layout = layout_of(cls, self._traits)
        fits = item or layout.field_count <= INLINE_FIELDS
        if fits and cls not in self._stack and len(self._stack) < INLINE_DEPTH:
            if target.isidentifier():
                self._structure(layout, target, "", end)
            else:
                self._structure(layout, self._scope.temp("o"), target, end)
            return
        self._nests = True
        codec = self._scope.codec(cls)
        verb = "read_careful" if self._careful else "read"
        self._call(f"{codec}.{verb}(data, p, {end}, depth + 1)", target)

    def _list(self, item: Wire, target: str, end: str) -> None:
        count = self._scope.temp("n")
        self._cursor.fixed("I", count)
        match item:
            case Scalar(code="B"):
                self._cursor.advance_by(count)
                self._lines.add(f"{target} = list(data[p - {count} : p])")
            case Scalar(code=code, wrap=None):
                self._cursor.advance()
                size = SCALAR_SIZE[code]
                self._lines.open(f"if {count} < 17:")
                self._lines.add(
                    f"{target} = [*{self._scope.small_unpackers(code)}[{count}](data, p)]"
                )
                self._lines.close()
                self._lines.open("else:")
                self._lines.add(f'{target} = list(unpack_many("{code}", {count}, data, p))')
                self._lines.close()
                self._lines.add(f"p += {count} * {size}" if size > 1 else f"p += {count}")
            case _:
                items = self._scope.temp("items")
                self._begin_loop(count, minimum_size(item, self._traits), f"{items} = []", end)
                value = self._scope.temp("item")
                self._read(item, value, end, item=True)
                self._cursor.advance()
                self._lines.add(f"{items}.append({value})")
                self._lines.close()
                self._lines.add(f"{target} = {items}")

    def _map(self, key: Wire, value: Wire, target: str, end: str) -> None:
        count, items = self._scope.temp("n"), self._scope.temp("items")
        self._cursor.fixed("I", count)
        least = minimum_size(key, self._traits) + minimum_size(value, self._traits)
        self._begin_loop(count, least, f"{items} = {{}}", end)
        key_name, value_name = self._scope.temp("key"), self._scope.temp("item")
        self._read(key, key_name, end)
        self._read(value, value_name, end, item=True)
        self._cursor.advance()
        self._lines.add(f"{items}[{key_name}] = {value_name}")
        self._lines.close()
        self._lines.add(f"{target} = {items}")

    def _begin_loop(self, count: str, least: int, start: str, end: str) -> None:
        self._cursor.advance()
        limit = f"{count} * {least} > {end} - p" if least else f"{count} > {MAX_EMPTY_ITEMS}"
        self._lines.open(f"if {limit}:")
        self._lines.add(f'raise MalformedError(f"{{{count}}} items do not fit into the input")')
        self._lines.close()
        self._lines.add(start)
        self._lines.open(f"for _ in range({count}):")
