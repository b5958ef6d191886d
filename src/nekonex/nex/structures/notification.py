"""Structures of the notification protocol."""

from __future__ import annotations

from nekonex.nex.structures.common import LATE_MATCHMAKING
from nekonex.wire import PID, Rev, String, Structure, UInt32, V, Variant, field

__all__ = ["NotificationEvent"]


class NotificationEvent(Structure):
    """What happened, to whom; the meaning of the parameters depends on the type."""

    pid: PID
    type: UInt32
    param1: UInt32 = field(default=0, wide_since=V("4.0"))
    param2: UInt32 = field(default=0, wide_since=V("4.0"))
    text: String = ""
    param3: UInt32 = field(default=0, when=LATE_MATCHMAKING, wide_since=V("4.0"))
    map: dict[String, Variant] = field(default={}, when=V("4.0") & Rev(1))
