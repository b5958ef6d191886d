"""The types that annotations name, and what each is on the wire.

To a type checker `UInt32` is an `int` and `QBuffer` is `bytes`; the metadata that
`Annotated` carries says how they are encoded. All numbers are little endian.
"""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Annotated, Any

from nekonex.values import DateTime, Result, StationURL
from nekonex.wire.variant import Variant

__all__ = [
    "PID",
    "Bool",
    "Buffer",
    "Double",
    "Float",
    "QBuffer",
    "SInt8",
    "SInt16",
    "SInt32",
    "SInt64",
    "String",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Wire",
    "resolve",
]


@dataclass(frozen=True, slots=True)
class Wire:
    """How one type is encoded."""


@dataclass(frozen=True, slots=True)
class Scalar(Wire):
    """A value of fixed size: a `struct` format character, and what it is wrapped in."""

    code: str
    name: str
    wrap: type[DateTime | Result] | None = None


@dataclass(frozen=True, slots=True)
class Pid(Wire):
    """A principal id: 4 or 8 bytes, as the context says."""


@dataclass(frozen=True, slots=True)
class Text(Wire):
    """A u16 length, which counts a final NUL, then UTF-8."""


@dataclass(frozen=True, slots=True)
class Url(Wire):
    """A station URL, encoded as a string."""


@dataclass(frozen=True, slots=True)
class Blob(Wire):
    """Bytes after their length: `code` is `I` for a buffer, `H` for a qbuffer."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class ListOf(Wire):
    """A u32 count, then that many items."""

    item: Wire


@dataclass(frozen=True, slots=True)
class MapOf(Wire):
    """A u32 count, then that many pairs of key and value."""

    key: Wire
    value: Wire


@dataclass(frozen=True, slots=True)
class StructOf(Wire):
    """A structure."""

    cls: type[Any]


@dataclass(frozen=True, slots=True)
class Holder(Wire):
    """A data holder: a structure after its name."""


@dataclass(frozen=True, slots=True)
class VariantOf(Wire):
    """A u8 type, then a value of that type."""


UInt8 = Annotated[int, Scalar("B", "u8")]
UInt16 = Annotated[int, Scalar("H", "u16")]
UInt32 = Annotated[int, Scalar("I", "u32")]
UInt64 = Annotated[int, Scalar("Q", "u64")]
SInt8 = Annotated[int, Scalar("b", "s8")]
SInt16 = Annotated[int, Scalar("h", "s16")]
SInt32 = Annotated[int, Scalar("i", "s32")]
SInt64 = Annotated[int, Scalar("q", "s64")]
Float = Annotated[float, Scalar("f", "float")]
Double = Annotated[float, Scalar("d", "double")]
Bool = bool
String = str
Buffer = bytes
QBuffer = Annotated[bytes, Blob("H", "qbuffer")]
PID = Annotated[int, Pid()]

WIDER = {"B": ("H", "u16"), "H": ("I", "u32"), "I": ("Q", "u64")}
"""What `wide_since` turns an unsigned integer into."""

_PLAIN: dict[Any, Wire] = {
    bool: Scalar("?", "bool"),
    str: Text(),
    bytes: Blob("I", "buffer"),
    DateTime: Scalar("Q", "datetime", DateTime),
    Result: Scalar("I", "result", Result),
    StationURL: Url(),
    Variant: VariantOf(),
}

_HINTS: dict[Any, str] = {
    int: "; an int needs a width, such as UInt32",
    float: "; use Float or Double",
    list: "; say what is in the list, as in list[UInt32]",
}

_KEYS = (Scalar, Pid, Text, Blob)


def resolve(annotation: Any) -> Wire:
    """Return how an annotation is encoded; TypeError if it is no wire type."""
    if isinstance(annotation, Wire):
        return annotation
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        for extra in annotation.__metadata__:
            if isinstance(extra, Wire):
                return extra
        return resolve(annotation.__origin__)
    arguments = typing.get_args(annotation)
    if origin is list and len(arguments) == 1:
        return ListOf(resolve(arguments[0]))
    if origin is dict and len(arguments) == 2:
        key = resolve(arguments[0])
        if not isinstance(key, _KEYS):
            raise TypeError(f"{annotation} cannot be sent: its keys cannot be keys of a dict")
        return MapOf(key, resolve(arguments[1]))
    if isinstance(annotation, type) and hasattr(annotation, "wire_levels"):
        return StructOf(annotation)
    hint = _HINTS.get(annotation, "")
    raise TypeError(f"{annotation!r} is not a type of the wire{hint}")
