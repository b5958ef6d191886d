"""Variants: a value that carries its type."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from nekonex.values import DateTime

__all__ = ["Variant", "VariantValue"]

VariantValue = int | float | bool | str | DateTime | None

NONE: Final = 0
S64: Final = 1
DOUBLE: Final = 2
BOOL: Final = 3
STRING: Final = 4
DATETIME: Final = 5
U64: Final = 6


@dataclass(frozen=True, slots=True)
class Variant:
    """A value and its type: 0 none, 1 s64, 2 double, 3 bool, 4 string, 5 datetime, 6 u64.

    The type is kept because a number alone does not tell an s64 from a u64, and what a
    console sent must go back to consoles unchanged. For the same reason a string without
    even its NUL has the value None, and a bool whose byte is neither 0 nor 1 that number.
    """

    type: int
    value: VariantValue = None

    @classmethod
    def of(cls, value: VariantValue) -> Variant:
        """Choose the type by the value: an int becomes an s64 if it fits, else a u64.

        Raise TypeError for a value that no variant holds.
        """
        match value:
            case None:
                return cls(NONE)
            case bool():
                return cls(BOOL, value)
            case int():
                return cls(S64 if value < 1 << 63 else U64, value)
            case float():
                return cls(DOUBLE, value)
            case str():
                return cls(STRING, value)
            case DateTime():
                return cls(DATETIME, value)
            case _:
                raise TypeError(f"a variant cannot hold {value!r}")


_U16 = struct.Struct("<H")
_S64 = struct.Struct("<q")
_U64 = struct.Struct("<Q")
_DOUBLE = struct.Struct("<d")


def read_variant(data: bytes, position: int) -> tuple[Variant, int]:
    """Read a variant and return it with the position after it.

    Raise struct.error, IndexError or ValueError for bytes that are none.
    """
    kind = data[position]
    position += 1
    match kind:
        case 0:
            return Variant(NONE), position
        case 1:
            return Variant(S64, _S64.unpack_from(data, position)[0]), position + 8
        case 2:
            return Variant(DOUBLE, _DOUBLE.unpack_from(data, position)[0]), position + 8
        case 3:
            byte = data[position]
            return Variant(BOOL, byte if byte > 1 else byte == 1), position + 1
        case 4:
            end = position + 2 + _U16.unpack_from(data, position)[0]
            if end == position + 2:
                return Variant(STRING), end
            if data[end - 1]:
                raise ValueError("the string does not end with a NUL")
            return Variant(STRING, data[position + 2 : end - 1].decode()), end
        case 5:
            return Variant(DATETIME, DateTime(_U64.unpack_from(data, position)[0])), position + 8
        case 6:
            return Variant(U64, _U64.unpack_from(data, position)[0]), position + 8
        case _:
            raise ValueError(f"there is no variant type {kind}")


def write_variant(variant: Variant) -> bytes:
    """Encode a variant; TypeError, ValueError or struct.error if its value is not of its type."""
    if not isinstance(variant, Variant):
        raise TypeError(f"expected a Variant, got {variant!r}")
    kind, value = variant.type, variant.value
    match kind, value:
        case 0, None:
            return b"\x00"
        case 1, int():
            return b"\x01" + _S64.pack(value)
        case 2, int() | float():
            return b"\x02" + _DOUBLE.pack(value)
        case 3, int() if 0 <= value < 256:
            return bytes((BOOL, value))
        case 4, None:
            return b"\x04\x00\x00"
        case 4, str():
            text = value.encode()
            return b"\x04" + _U16.pack(len(text) + 1) + text + b"\0"
        case 5, DateTime():
            return b"\x05" + _U64.pack(value.value)
        case 6, int():
            return b"\x06" + _U64.pack(value)
        case _:
            raise ValueError(f"a variant of type {kind!r} cannot hold {value!r}")
