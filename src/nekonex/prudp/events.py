"""What an endpoint tells the layer above it."""

from typing import NamedTuple, TypeAlias

from nekonex.prudp.connection import Connection
from nekonex.prudp.limits import CloseReason

__all__ = ["Closed", "Event", "Message", "Opened", "UnreliableMessage"]


class Opened(NamedTuple):
    """A handshake was completed.

    ``replaces`` is the connection whose place it takes, when a console came back
    on the same address and port: its Closed stands before this event.
    """

    connection: Connection
    replaces: Connection | None


class Message(NamedTuple):
    """A whole message arrived on a reliable substream, in order."""

    connection: Connection
    substream: int
    data: bytes


class UnreliableMessage(NamedTuple):
    """An unreliable packet arrived; others may be lost, repeated or out of order."""

    connection: Connection
    data: bytes


class Closed(NamedTuple):
    """A connection ended. Comes exactly once for each Opened.

    A client's handshake that nobody answered is reported by it alone.
    """

    connection: Connection
    reason: CloseReason


Event: TypeAlias = Opened | Message | UnreliableMessage | Closed
