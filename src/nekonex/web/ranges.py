"""Parts of a file (RFC 9110, chapter 14)."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["UnsatisfiableError", "find_range"]

_RANGE: Final = re.compile(r"bytes=([0-9]{0,19})-([0-9]{0,19})")


class UnsatisfiableError(Exception):
    """The file has nothing of what was asked for."""


def find_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte and the byte after the last that a Range header asks for.

    None: all of it. So are several ranges, other units and what cannot be understood, as the
    RFC allows. Raises UnsatisfiableError.
    """
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None:
        return None
    first, last = match.groups()
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < int(first):
            return None
    elif last:
        start, end = max(size - int(last), 0), size
    else:
        return None
    if start >= end:
        raise UnsatisfiableError
    return start, end
