"""Reading and writing data holders."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from nekonex.wire.errors import MalformedError
from nekonex.wire.holders import HolderRegistry, UnknownData
from nekonex.wire.structure import Data, Structure

if TYPE_CHECKING:
    from nekonex.wire.codec import BaseCodec

__all__ = ["HolderCodec"]

_NAME_LENGTH: Final = struct.Struct("<H")
_LENGTHS: Final = struct.Struct("<II")
_EMPTY_LEVEL: Final = bytes(5)


class HolderCodec:
    """The data holders of one context: a name, the length of the rest, the length, content.

    The content of a structure that derives from `Data` begins with an empty level when
    structures have headers. Peers disagree about which structures do; an empty level
    that ours does not have is skipped.
    """

    __slots__ = ("_codec_of", "_headers", "_registry")

    def __init__(
        self, registry: HolderRegistry, codec_of: Callable[[Any], BaseCodec], *, headers: bool
    ) -> None:
        self._registry = registry
        self._codec_of = codec_of
        self._headers = headers

    def read(self, data: bytes, position: int, end: int, depth: int) -> tuple[Any, int]:
        """Return the content of the holder at `position`, and the position after it."""
        name, start, stop = _frame(data, position, end)
        cls = self._registry.class_of(name)
        if cls is None:
            return UnknownData(name, data[start:stop]), stop
        start = self._content(cls, data, start, stop)
        return self._codec_of(cls).read(data, start, stop, depth)[0], stop

    def read_careful(self, data: bytes, position: int, end: int, depth: int) -> tuple[Any, int]:
        """Do the same; a WireError of the content names its fields."""
        name, start, stop = _frame(data, position, end)
        cls = self._registry.class_of(name)
        if cls is None:
            return UnknownData(name, data[start:stop]), stop
        start = self._content(cls, data, start, stop)
        return self._codec_of(cls).read_careful(data, start, stop, depth)[0], stop

    def write(self, value: Any, depth: int) -> bytes:
        """Return the holder of a structure, or of unknown data as it came."""
        if isinstance(value, UnknownData):
            return _framed(value.name, value.payload)
        name = self._name(value)
        return _framed(name, self._codec_of(type(value)).write(value, depth))

    def write_careful(self, value: Any, depth: int) -> bytes:
        """Do the same; a WireError of the content names its fields."""
        if isinstance(value, UnknownData):
            return _framed(value.name, value.payload)
        name = self._name(value)
        return _framed(name, self._codec_of(type(value)).write_careful(value, depth))

    def _name(self, value: Any) -> str:
        if not isinstance(value, Structure):
            raise MalformedError(
                f"expected a structure for a data holder, got {type(value).__name__}"
            )
        return self._registry.name_of(type(value))

    def _content(self, cls: type[Structure], data: bytes, start: int, stop: int) -> int:
        foreign = self._headers and not issubclass(cls, Data)
        if foreign and data[start : min(start + 5, stop)] == _EMPTY_LEVEL:
            return start + 5
        return start


def _frame(data: bytes, position: int, end: int) -> tuple[str, int, int]:
    (length,) = _NAME_LENGTH.unpack_from(data, position)
    start = position + 2 + length
    if start + 8 > end:
        raise MalformedError("the input ends inside it")
    if length and data[start - 1]:
        raise MalformedError("the name of a data holder does not end with a NUL")
    name = data[position + 2 : start - 1].decode() if length else ""
    outer, inner = _LENGTHS.unpack_from(data, start)
    if outer != inner + 4:
        raise MalformedError(f"the lengths of a data holder do not agree: {outer} and {inner}")
    stop = start + 8 + inner
    if stop > end:
        raise MalformedError("the data holder is longer than the input")
    return name, start + 8, stop


def _framed(name: str, payload: bytes) -> bytes:
    text = name.encode()
    lengths = _LENGTHS.pack(len(payload) + 4, len(payload))
    return b"".join((_NAME_LENGTH.pack(len(text) + 1), text, b"\0", lengths, payload))
