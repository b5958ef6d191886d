"""Unsigned 64-bit numbers in SQLite's signed ones: the same 64 bits, read differently."""

from __future__ import annotations

__all__ = ["from_sql", "to_sql"]

_LIMIT = 1 << 64
_SIGN = 1 << 63


def to_sql(value: int) -> int:
    """Return what to store for an unsigned 64-bit number; raises ValueError for any other.

    Numbers below 2**63 are stored as they are and keep their order; larger ones sort before 0.
    """
    if not 0 <= value < _LIMIT:
        raise ValueError(f"{value} is not an unsigned 64-bit number")
    return value - _LIMIT if value & _SIGN else value


def from_sql(value: int) -> int:
    """Return the unsigned number that `to_sql` made ``value`` of."""
    return value % _LIMIT
