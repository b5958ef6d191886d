"""Structures of the secure connection protocol."""

from __future__ import annotations

from nekonex.values import StationURL
from nekonex.wire import Structure, UInt32

__all__ = ["ConnectionData"]


class ConnectionData(Structure):
    """How a connected console can be reached."""

    station: StationURL
    connection_id: UInt32
