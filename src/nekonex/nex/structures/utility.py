"""Structures of the utility protocol."""

from __future__ import annotations

from nekonex.wire import Structure, UInt64, field

__all__ = ["UniqueIdInfo"]


class UniqueIdInfo(Structure, key="utility"):
    """A unique id, and what proves that it was given to the caller. Zeros are none."""

    unique_id: UInt64 = 0
    password: UInt64 = field(default=0, secret=True)
