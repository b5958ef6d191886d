"""Arithmetic on 16-bit sequence numbers that wrap around (RFC 1982, SERIAL_BITS 16)."""

from typing import Final

__all__ = ["HALF", "advance", "distance", "is_before"]

HALF: Final = 0x8000


def advance(number: int, by: int = 1) -> int:
    """Return the number *by* steps after *number*."""
    return (number + by) & 0xFFFF


def distance(start: int, end: int) -> int:
    """Return how many steps *end* lies after *start*, 0 to 65535."""
    return (end - start) & 0xFFFF


def is_before(number: int, other: int) -> bool:
    """Tell whether *number* comes before *other*, at less than half the circle's distance."""
    return 0 < (other - number) & 0xFFFF < HALF
