"""Questions about what an endpoint reported."""

from __future__ import annotations

from nekonex.prudp.connection import Connection
from nekonex.prudp.events import Closed, Event, Message, Opened, UnreliableMessage
from nekonex.prudp.limits import CloseReason

__all__ = ["Reported"]


class Reported:
    """Answers them for whoever keeps the ``events``."""

    __slots__ = ()

    events: list[Event]

    def messages(self, substream: int = 0) -> list[bytes]:
        return [
            event.data
            for event in self.events
            if isinstance(event, Message) and event.substream == substream
        ]

    def unreliable(self) -> list[bytes]:
        return [event.data for event in self.events if isinstance(event, UnreliableMessage)]

    def opened(self) -> list[Connection]:
        return [event.connection for event in self.events if isinstance(event, Opened)]

    def closed(self) -> list[CloseReason]:
        return [event.reason for event in self.events if isinstance(event, Closed)]
