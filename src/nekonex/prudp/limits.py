"""Every bound of the transport, by name, and the reasons for which packets are dropped."""

import enum
from dataclasses import dataclass, fields
from typing import Final

__all__ = ["HALF", "CloseReason", "DropReason", "Limits"]

HALF: Final = 0x8000
"""Half of all sequence numbers: what is less than this ahead of a number is after it (RFC 1982)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one UDP endpoint. All of them hold at all times."""

    max_connections: int = 50_000
    """Connections of the endpoint, all addresses together."""
    max_connections_per_address: int = 1_024
    """Connections from one IP address: a LAN party behind one router is fine, a flood is not."""
    handshakes_per_second: int = 100
    """CONNECT packets a second from one IP address, counted after their signature verified."""
    tracked_addresses: int = 65_536
    """Addresses whose handshake rate is remembered; the least recently seen is forgotten first."""
    limit_loopback: bool = False
    """Whether the limits per address hold for 127.0.0.0/8 and ::1 too."""
    max_message_size: int = 1 << 20
    """Bytes of one reassembled message; a peer that exceeds it is disconnected."""
    window: int = 64
    """Packets a substream may be ahead: received out of order, or sent and unacknowledged.

    What is kept out of order is no larger than a fragment, so this bounds its bytes too.
    """
    max_queued_bytes: int = 4 << 20
    """Bytes a connection may have waiting for room in the window; more closes it."""
    replay_entries: int = 65_536
    """Tickets remembered against replay for as long as they are valid."""

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1 and field.name != "limit_loopback":
                raise ValueError(
                    f"{field.name} must be at least 1, not {getattr(self, field.name)}"
                )
        if self.window >= HALF:
            raise ValueError(f"window must be less than {HALF}, half of all sequence numbers")


class DropReason(enum.StrEnum):
    """Why a packet was dropped. Each is counted in ``Endpoint.drops``."""

    MALFORMED = "malformed"
    UNKNOWN_PORT = "unknown_port"
    UNKNOWN_CONNECTION = "unknown_connection"
    UNEXPECTED_TYPE = "unexpected_type"
    BAD_SIGNATURE = "bad_signature"
    BAD_SESSION_ID = "bad_session_id"
    BAD_SUBSTREAM = "bad_substream"
    BAD_HANDSHAKE = "bad_handshake"
    BAD_TICKET = "bad_ticket"
    TICKET_EXPIRED = "ticket_expired"
    TICKET_REPLAYED = "ticket_replayed"
    WRONG_PID = "wrong_pid"
    UNPROVEN_REPLACEMENT = "unproven_replacement"
    TOO_MANY_CONNECTIONS = "too_many_connections"
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"
    HANDSHAKE_RATE = "handshake_rate"
    AMPLIFICATION = "amplification"
    NOT_ACCEPTING = "not_accepting"
    DUPLICATE = "duplicate"
    OUT_OF_WINDOW = "out_of_window"
    RECEIVER_FULL = "receiver_full"
    BAD_PAYLOAD = "bad_payload"
    BAD_AGGREGATE_ACK = "bad_aggregate_ack"
    SOCKET_FULL = "socket_full"


class CloseReason(enum.StrEnum):
    """Why a connection ended."""

    PEER = "peer disconnected"
    LOCAL = "closed by this side"
    TIMEOUT = "peer stopped answering"
    REPLACED = "replaced by a new connection of the same console"
    MESSAGE_TOO_LARGE = "peer sent a message over the size limit"
    BAD_PAYLOAD = "peer sent a payload that cannot be decompressed"
    SEND_QUEUE_FULL = "peer does not take what is sent to it"
    REFUSED = "server did not answer the handshake"
