"""What is counted of NekoConnect; nothing that it refuses or cuts off goes uncounted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from nekonex.connect.protocol.status import Status

__all__ = ["ConnectStats", "CutOff"]


class CutOff(StrEnum):
    """Why a connection was cut off, without a status."""

    SLOW_READER = "slow_reader"
    """More than `send_queue` waited for a client that does not read."""
    STALLED = "stalled"
    """The client took nothing of what waits for it within `send_timeout`."""
    TOO_MANY = "too_many"
    """So many were refused at once that no status could be sent to all."""


@dataclass(slots=True)
class ConnectStats:
    """Counts since the start. Whoever shows them copies them; nothing resets them."""

    connections: int = 0
    """Connections that were taken."""
    logins: int = 0
    """Connections that were authenticated."""
    frames: int = 0
    """Frames that went to plugins."""
    statuses: dict[int, int] = field(default_factory=lambda: dict.fromkeys(map(int, Status), 0))
    """Status frames that were sent, by status; 200 is not counted."""
    cut_off: dict[CutOff, int] = field(default_factory=lambda: dict.fromkeys(CutOff, 0))
    """Connections that were cut off, by reason."""
    failures: int = 0
    """Calls of plugins that raised."""
    stuck: int = 0
    """Calls of plugins that took longer than `plugin_timeout`."""
    dropped_events: int = 0
    """Events of the games that plugins were never told, because too many waited."""
    forgotten_goodbyes: int = 0
    """Calls of ``disconnected`` that never were, because too many waited."""
