"""What a PRUDP packet says, whatever version it was written in."""

from typing import NamedTuple

from nekonex.prudp.constants import (
    FLAG_ACK,
    FLAG_MULTI_ACK,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    TYPE_NAMES,
)

__all__ = ["Handshake", "Packet", "PacketError"]


class PacketError(ValueError):
    """These bytes are not a packet; ``str()`` of it says why."""


class Handshake(NamedTuple):
    """What only SYN and CONNECT carry."""

    connection_signature: bytes
    minor_version: int = 0
    supported_functions: int = 0
    max_substream_id: int = 0
    initial_unreliable_id: int = 1


class Packet(NamedTuple):
    """One packet as received.

    ``source`` and ``dest`` are the bytes of the wire: stream type in the high
    nibble, virtual port in the low one. ``head`` and ``tail`` are the bytes
    around the signature that the signature covers, as they were received: a
    peer may order its options as it likes and still verifies.
    """

    type: int
    flags: int
    source: int
    dest: int
    session_id: int
    substream_id: int
    sequence_id: int
    fragment_id: int
    signature: bytes
    payload: bytes
    head: bytes
    tail: bytes
    handshake: Handshake | None

    def describe(self) -> str:
        """Return a short text for logs."""
        name = TYPE_NAMES[self.type] if self.type < len(TYPE_NAMES) else f"type {self.type}"
        flags = "".join(
            letter
            for flag, letter in (
                (FLAG_ACK, "a"),
                (FLAG_RELIABLE, "r"),
                (FLAG_NEED_ACK, "n"),
                (FLAG_MULTI_ACK, "m"),
            )
            if self.flags & flag
        )
        return (
            f"{name}[{flags}] seq={self.sequence_id} sub={self.substream_id} "
            f"frag={self.fragment_id} {len(self.payload)} bytes"
        )
