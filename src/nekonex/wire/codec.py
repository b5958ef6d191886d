"""Codecs: compiled once for a type in a context, then plain functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from nekonex.wire.emit_read import ReadEmitter
from nekonex.wire.emit_write import WriteEmitter
from nekonex.wire.errors import WireError
from nekonex.wire.layout import LayoutLevel, Traits, layout_of
from nekonex.wire.scope import ERRORS, Scope
from nekonex.wire.source import run_source
from nekonex.wire.types import StructOf, Wire

__all__ = ["BaseCodec", "Codec", "RecordCodec"]

T = TypeVar("T")

Reader = Callable[[bytes, int, int, int], tuple[Any, int]]
Writer = Callable[[Any, int], bytes]

_FUNCTIONS: Final = frozenset({"read", "read_careful", "write", "write_careful"})


class BaseCodec:
    """The compiled functions of one type; what generated code calls for another type.

    `read(data, position, end, depth)` returns the value and the position after it, and
    `write(value, depth)` the bytes; both may raise any of `ERRORS`. `read_careful` and
    `write_careful` do the same, slowly, and raise only `WireError`. Each is compiled when
    it is first used.

    The careful functions decide: when a fast one fails, they say what is wrong, or read
    what the fast one gave up on.
    """

    __slots__ = (
        "_new_scope",
        "_shape",
        "_sources",
        "_title",
        "_traits",
        "read",
        "read_careful",
        "write",
        "write_careful",
    )

    read: Reader
    read_careful: Reader
    write: Writer
    write_careful: Writer

    def __init__(
        self,
        title: str,
        shape: Wire | LayoutLevel,
        traits: Traits,
        new_scope: Callable[[], Scope],
    ) -> None:
        self._title = title
        self._shape = shape
        self._traits = traits
        self._new_scope = new_scope
        self._sources: dict[str, str] = {}

    if not TYPE_CHECKING:  # else it would have every attribute

        def __getattr__(self, name: str) -> Any:
            # Asked for where the slot is still empty.
            if name in _FUNCTIONS:
                return self._compile(name)
            raise AttributeError(f"{type(self).__name__} has no {name}", name=name, obj=self)

    def _compile(self, name: str) -> Any:
        scope = self._new_scope()
        careful = name.endswith("careful")
        emitter = (ReadEmitter if name.startswith("read") else WriteEmitter)(
            scope, self._traits, careful=careful
        )
        match self._shape:
            case LayoutLevel() as level:
                source = emitter.record(name, level)
            case StructOf(cls=cls):
                source = emitter.structure(name, layout_of(cls, self._traits))
            case wire:
                source = emitter.value(name, self._title, wire)
        scope.names["PLACES"] = [(place or self._title, field) for place, field in emitter.places]
        self._sources[name] = source
        run_source(source, f"<{name} {self._title}>", scope.names)
        function = scope.names[name]
        setattr(self, name, function)
        return function

    @property
    def source(self) -> str:
        """The generated code that decodes and encodes, for people to read."""
        for name in ("read", "write"):
            if name not in self._sources:
                self._compile(name)
        return f"{self._sources['read']}\n\n{self._sources['write']}"

    def _write_or_explain(self, value: Any) -> bytes:
        try:
            return self.write(value, 0)
        except ERRORS as error:
            cause = error
        try:
            self.write_careful(value, 0)
        except WireError as explained:
            raise explained from None
        raise WireError(self._title, "", None, str(cause))


class Codec(BaseCodec, Generic[T]):
    """Encodes and decodes values of one type."""

    __slots__ = ()

    def encode(self, value: T) -> bytes:
        """Return the bytes of a value; WireError if it cannot be sent."""
        try:
            return self.write(value, 0)
        except ERRORS:
            return self._write_or_explain(value)

    def decode(self, data: bytes | bytearray | memoryview) -> T:
        """Return the value that takes up all of `data`.

        Raise WireError for malformed input and for bytes after the value.
        """
        if data.__class__ is not bytes:
            data = bytes(data)
        try:
            value, position = self.read(data, 0, len(data), 0)
        except ERRORS:
            value, position = self.read_careful(data, 0, len(data), 0)
        if position != len(data):
            raise WireError(
                self._title, "", position, f"{len(data) - position} bytes follow the value"
            )
        result: T = value
        return result

    def decode_prefix(self, data: bytes | bytearray | memoryview, offset: int = 0) -> tuple[T, int]:
        """Return the value at `offset`, and the offset after it; WireError if malformed."""
        data = bytes(data)
        try:
            return self.read(data, offset, len(data), 0)
        except ERRORS:
            return self.read_careful(data, offset, len(data), 0)


class RecordCodec(BaseCodec):
    """Encodes and decodes values that follow each other: the parameters of a method."""

    __slots__ = ()

    def encode(self, values: Sequence[Any]) -> bytes:
        """Return the bytes of the values, one for each field, absent fields included.

        Raise WireError if a value cannot be sent or their number is wrong.
        """
        try:
            return self.write(values, 0)
        except ERRORS:
            return self._write_or_explain(values)

    def decode(self, data: bytes | bytearray | memoryview) -> tuple[Any, ...]:
        """Return one value for each field, and the default for a field that is absent.

        Bytes after the last field are ignored, because newer peers append fields. Raise
        WireError for malformed input.
        """
        if data.__class__ is not bytes:
            data = bytes(data)
        try:
            values: tuple[Any, ...] = self.read(data, 0, len(data), 0)[0]
        except ERRORS:
            values = self.read_careful(data, 0, len(data), 0)[0]
        return values
