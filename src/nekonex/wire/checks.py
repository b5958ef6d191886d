"""Saying what is wrong with a value that could not be encoded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from nekonex.values import DateTime, Result, StationURL
from nekonex.wire.errors import MalformedError

__all__ = ["CHECKS"]

_INTEGERS: Final = {
    "B": ("u8", 0, (1 << 8) - 1),
    "H": ("u16", 0, (1 << 16) - 1),
    "I": ("u32", 0, (1 << 32) - 1),
    "Q": ("u64", 0, (1 << 64) - 1),
    "b": ("s8", -(1 << 7), (1 << 7) - 1),
    "h": ("s16", -(1 << 15), (1 << 15) - 1),
    "i": ("s32", -(1 << 31), (1 << 31) - 1),
    "q": ("s64", -(1 << 63), (1 << 63) - 1),
}

_MAX_U16: Final = 65535


def check_integer(code: str, value: object) -> None:
    """Refuse what is no integer or too large for its width."""
    name, low, high = _INTEGERS[code]
    if not hasattr(value, "__index__"):
        raise MalformedError(f"expected an int for a {name}, got {_kind(value)}")
    if not low <= value.__index__() <= high:
        raise MalformedError(f"{value} does not fit a {name}")


def check_number(value: object) -> None:
    """Refuse what is no number."""
    if not isinstance(value, int | float):
        raise MalformedError(f"expected a float, got {_kind(value)}")


def check_bool(value: object) -> None:
    """Refuse what has no truth value."""
    bool(value)


def check_text(value: object) -> None:
    """Refuse what is no text, or too long for a 16-bit length."""
    if not isinstance(value, str):
        raise MalformedError(f"expected a str, got {_kind(value)}")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise MalformedError("the text has characters that UTF-8 cannot express") from None
    if size + 1 > _MAX_U16:
        raise MalformedError(f"a string of {size} bytes is too long: the limit is {_MAX_U16 - 1}")


def check_buffer(value: object) -> None:
    """Refuse what is not bytes."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise MalformedError(f"expected bytes, got {_kind(value)}")


def check_qbuffer(value: object) -> None:
    """Refuse what is not bytes, or too long for a 16-bit length."""
    check_buffer(value)
    if isinstance(value, bytes | bytearray | memoryview) and len(value) > _MAX_U16:
        raise MalformedError(
            f"a qbuffer of {len(value)} bytes is too long: the limit is {_MAX_U16}"
        )


def check_instance(cls: type, value: object) -> None:
    """Refuse what is not of a class."""
    if not isinstance(value, cls):
        raise MalformedError(f"expected a {cls.__name__}, got {_kind(value)}")


def check_structure(value: object, cls: type) -> None:
    """Refuse another structure than the one expected."""
    check_instance(cls, value)


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


CHECKS: Final[dict[str, Callable[..., None]]] = {
    **{f"check_scalar_{code}": partial(check_integer, code) for code in _INTEGERS},
    "check_scalar_f": check_number,
    "check_scalar_d": check_number,
    "check_scalar_o": check_bool,
    "check_text": check_text,
    "check_buffer": check_buffer,
    "check_qbuffer": check_qbuffer,
    "check_url": partial(check_instance, StationURL),
    "check_datetime": partial(check_instance, DateTime),
    "check_result": partial(check_instance, Result),
    "check_list": partial(check_instance, list),
    "check_dict": partial(check_instance, dict),
    "check_structure": check_structure,
}
"""The functions that generated code calls, by the names it calls them."""
