"""Aggregate acknowledgements: one packet that acknowledges many (v1 only).

Source: the wiki's ``prudp.md`` and NintendoClients' ``handle_aggregate_ack``.
"""

import struct
from typing import NamedTuple

from nekonex.prudp.constants import DATA
from nekonex.prudp.packet import Packet

__all__ = ["AggregateAck"]


class AggregateAck(NamedTuple):
    """Every packet up to ``base`` (modulo 2^16) and each of ``extra`` is acknowledged."""

    substream: int
    base: int
    extra: tuple[int, ...]

    @classmethod
    def read(cls, packet: Packet) -> "AggregateAck":
        """Read a DATA packet that has the MULTI_ACK flag.

        The packet's own substream id tells the format: 0 is the old one (minor
        version 1), 1 the new one. Raises ValueError.
        """
        payload = packet.payload
        if packet.type != DATA or len(payload) % 2:
            raise ValueError("not an aggregate acknowledgement")
        if packet.substream_id == 0:
            extra = struct.unpack(f"<{len(payload) // 2}H", payload)
            return cls(0, packet.sequence_id, extra)
        if packet.substream_id != 1 or len(payload) < 4 or len(payload) != 4 + payload[1] * 2:
            raise ValueError("aggregate acknowledgement of the wrong size")
        substream, count, base = struct.unpack_from("<BBH", payload)
        return cls(substream, base, struct.unpack_from(f"<{count}H", payload, 4))
