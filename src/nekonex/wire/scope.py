"""The names that generated code uses, and what they are bound to."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from nekonex.values import DateTime, Result, StationURL
from nekonex.wire.checks import CHECKS
from nekonex.wire.errors import MalformedError, WireError
from nekonex.wire.layout import SCALAR_SIZE, LayoutField
from nekonex.wire.structure import maker
from nekonex.wire.variant import read_variant, write_variant

__all__ = ["ERRORS", "MAX_DEPTH", "MAX_EMPTY_ITEMS", "Scope", "describe"]

MAX_DEPTH: Final = 16
"""How deep structures may nest through data holders and through themselves."""

MAX_EMPTY_ITEMS: Final = 1024
"""How many items of no size a list may have: they take no input, so it cannot bound them."""

_SMALL: Final = 17
"""Lists of fewer numbers are packed by a `Struct` that is made in advance."""


ERRORS: Final = (
    struct.error,
    ValueError,
    IndexError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
)
"""What code that reads or writes a field can raise when the bytes or the value are wrong."""


def describe(error: Exception, place: tuple[str, str], offset: int | None) -> WireError:
    """Say what is wrong with a field, given what its code raised."""
    match error:
        case MalformedError():
            reason = str(error)
        case UnicodeError():
            reason = "the text is not valid UTF-8"
        case struct.error() | IndexError() if offset is not None:
            reason = "the input ends inside it"
        case _:
            reason = str(error) or type(error).__name__
    return WireError(*place, offset, reason)


def unpack_many(code: str, count: int, data: bytes, position: int) -> Sequence[Any]:
    """Unpack a long list; past `struct`'s own cache, which a few counts would fill."""
    return struct.Struct(f"<{count}{code}").unpack_from(data, position)


def pack_many(code: str, items: Sequence[Any]) -> bytes:
    """Pack a long list of numbers."""
    return struct.Struct(f"<{len(items)}{code}").pack(*items)


def read_url(text: str) -> StationURL:
    """Parse a station URL that came in."""
    try:
        return StationURL.parse(text)
    except ValueError as error:
        raise MalformedError(str(error)) from None


def write_url(url: StationURL) -> bytes:
    """Encode a station URL without its final NUL."""
    if not isinstance(url, StationURL):
        raise TypeError(f"expected a StationURL, got {url!r}")
    return str(url).encode()


_SMALL_LISTS: Final = {
    code: tuple(struct.Struct(f"<{count}{code}") for count in range(_SMALL)) for code in SCALAR_SIZE
}


def _word(codes: str) -> str:
    """Make format characters part of a name."""
    return codes.replace("?", "o")


class Scope:
    """Hands out readable names for the objects that generated code needs."""

    def __init__(self, codec_of: Callable[[type], Any], holders: Any) -> None:
        self._codec_of = codec_of
        self.names: dict[str, Any] = {
            "HOLDERS": holders,
            "new": object.__new__,
            "MalformedError": MalformedError,
            "WireError": WireError,
            "ERRORS": ERRORS,
            "describe": describe,
            "DateTime": DateTime,
            "Result": Result,
            "set_datetime": vars(DateTime)["value"].__set__,
            "set_result": vars(Result)["code"].__set__,
            "read_url": read_url,
            "write_url": write_url,
            "unpack_many": unpack_many,
            "pack_many": pack_many,
            "read_variant": read_variant,
            "write_variant": write_variant,
            "join": b"".join,
            **CHECKS,
        }
        self._counter = 0

    def temp(self, prefix: str) -> str:
        """Return a name for a local variable that nothing else has."""
        self._counter += 1
        return f"{prefix}{self._counter}"

    def bind(self, name: str, value: Any) -> str:
        """Bind an object to `name`, or to a name like it if that one is taken."""
        candidate, number = name, 1
        while candidate in self.names and self.names[candidate] is not value:
            number += 1
            candidate = f"{name}_{number}"
        self.names[candidate] = value
        return candidate

    def codec(self, cls: type) -> str:
        """Name the codec of a structure that is not inlined."""
        return self.bind(f"{cls.__name__}_codec", self._codec_of(cls))

    def unpacker(self, codes: Iterable[str]) -> str:
        """Name the function that unpacks a run of fixed-size fields."""
        return self._struct("unpack", "".join(codes), lambda made: made.unpack_from)

    def packer(self, codes: Iterable[str]) -> str:
        """Name the function that packs a run of fixed-size fields."""
        return self._struct("pack", "".join(codes), lambda made: made.pack)

    def _struct(self, verb: str, codes: str, method: Callable[[struct.Struct], Any]) -> str:
        name = f"{verb}_{_word(codes)}"
        if name not in self.names:
            self.names[name] = method(struct.Struct("<" + codes))
        return name

    def small_unpackers(self, code: str) -> str:
        """Name the table of functions that unpack short lists, by count."""
        name = f"unpack_list_{_word(code)}"
        if name not in self.names:
            self.names[name] = tuple(made.unpack_from for made in _SMALL_LISTS[code])
        return name

    def small_packers(self, code: str) -> str:
        """Name the table of functions that pack short lists, by count."""
        name = f"pack_list_{_word(code)}"
        if name not in self.names:
            self.names[name] = tuple(made.pack for made in _SMALL_LISTS[code])
        return name

    def default(self, field: LayoutField) -> str:
        """Return an expression for the default of a field."""
        if not field.shares_default:
            return f"{self.bind(f'make_{field.name}', maker(field.make_default()))}()"
        value = field.make_default()
        if value is None or type(value) in (int, bool, str, bytes):
            return repr(value)
        return self.bind(f"default_{field.name}", value)
