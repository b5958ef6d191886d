"""What a PRUDP packet says, whatever version it was written in."""

from typing import NamedTuple

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
