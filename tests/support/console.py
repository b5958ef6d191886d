"""A peer of a server endpoint whose every packet is written by hand."""

from __future__ import annotations

import struct

from nekonex.kerberos import encrypt
from nekonex.prudp.base import Address
from nekonex.prudp.client import Credentials
from nekonex.prudp.constants import (
    CONNECT,
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    PING,
    SYN,
)
from nekonex.prudp.events import Event
from nekonex.prudp.host import AnyCodec
from nekonex.prudp.packet import Handshake, Packet
from tests.support.link import Pair

__all__ = ["Console", "login_payload"]

SOURCE_PORT = 15
RELIABLE = FLAG_RELIABLE | FLAG_NEED_ACK | FLAG_HAS_SIZE


def login_payload(ticket: Credentials, check: int = 41, *, extra: bytes = b"") -> bytes:
    """Return the payload of a CONNECT to a secure server."""
    plain = struct.pack("<III", ticket.pid, ticket.cid, check) + extra
    request = encrypt(ticket.session_key, plain)
    return b"".join(len(part).to_bytes(4, "little") + part for part in (ticket.ticket, request))


class Console:
    """Sends packets to a pair's server, with no state machine of its own."""

    def __init__(
        self,
        pair: Pair,
        *,
        version: int = 1,
        address: Address = ("198.51.100.1", 4000),
        source_port: int = SOURCE_PORT,
        port: int = 1,
        offered: bytes | None = None,
    ) -> None:
        endpoint = pair.server_endpoint
        self.pair = pair
        self.endpoint = endpoint
        self.codec: AnyCodec = endpoint.v1 if version else endpoint.v0
        self.address = address
        self.source = 0xA0 | source_port
        self.dest = 0xA0 | port
        self.session_id = 0x55
        self.session_key = b""
        self.issued = b""
        size = self.codec.signature_size
        self.offered = bytes(range(1, size + 1)) if offered is None else offered
        self.offer = Handshake(connection_signature=self.offered, minor_version=4 if version else 0)
        self.events: list[Event] = []

    def exchange(self, data: bytes) -> list[bytes]:
        """Send a datagram; return the datagrams that answer it."""
        self.endpoint.receive_datagram(data, self.address, self.pair.network.now)
        self.events += self.endpoint.take_events()
        answers = self.endpoint.take_output()
        assert all(address == self.address for _, address in answers)
        return [answer for answer, _ in answers]

    def read(self, data: bytes) -> Packet:
        packet, end = self.codec.decode(data, 0)
        assert end == len(data)
        return packet

    # -- packets ------------------------------------------------------------

    def syn_bytes(self, offer: Handshake | None = None) -> bytes:
        offer = offer or self.offer._replace(connection_signature=bytes(len(self.offered)))
        return self.codec.encode_handshake(
            SYN, FLAG_NEED_ACK, self.source, self.dest, 0, offer, b"", None
        )

    def connect_bytes(
        self,
        payload: bytes = b"",
        *,
        signed_with: bytes | None = None,
        offer: Handshake | None = None,
        flags: int = RELIABLE,
    ) -> bytes:
        secret = self.codec.secret(b"", self.issued if signed_with is None else signed_with)
        return self.codec.encode_handshake(
            CONNECT, flags, self.source, self.dest, self.session_id,
            offer or self.offer, payload, secret,
        )  # fmt: skip

    def packet_bytes(
        self,
        kind: int,
        number: int,
        payload: bytes = b"",
        *,
        flags: int = RELIABLE,
        substream: int = 0,
        fragment: int = 0,
        signed_with: bytes | None = None,
    ) -> bytes:
        issued = self.issued if signed_with is None else signed_with
        return self.codec.encode(
            kind, flags, self.source, self.dest, self.session_id, substream, number, fragment,
            payload, self.codec.secret(self.session_key, issued),
        )  # fmt: skip

    # -- conversations ------------------------------------------------------

    def syn(self) -> Packet:
        """Send a SYN and keep the connection signature of its answer."""
        (answer,) = self.exchange(self.syn_bytes())
        packet = self.read(answer)
        assert (packet.type, packet.flags) == (SYN, FLAG_ACK)
        assert packet.handshake is not None
        self.issued = packet.handshake.connection_signature
        return packet

    def connect(self, ticket: Credentials | None = None) -> Packet:
        """Go through the whole handshake; return the acknowledged CONNECT."""
        if not self.issued:
            self.syn()
        payload = b""
        if ticket is not None:
            payload = login_payload(ticket)
            self.session_key = ticket.session_key
        (answer,) = self.exchange(self.connect_bytes(payload))
        packet = self.read(answer)
        assert packet.type == CONNECT
        return packet

    def send(self, number: int, payload: bytes = b"", *, fragment: int = 0) -> list[Packet]:
        """Send reliable DATA (its payload as it is, not encrypted)."""
        return self._answers(self.packet_bytes(DATA, number, payload, fragment=fragment))

    def ping(self, number: int, *, flags: int = FLAG_NEED_ACK) -> list[Packet]:
        return self._answers(self.packet_bytes(PING, number, flags=flags))

    def disconnect(self, number: int) -> list[Packet]:
        flags = FLAG_RELIABLE | FLAG_NEED_ACK
        return self._answers(self.packet_bytes(DISCONNECT, number, flags=flags))

    def acknowledge(self, packet: Packet, *, kind: int | None = None) -> list[Packet]:
        return self._answers(
            self.packet_bytes(
                packet.type if kind is None else kind,
                packet.sequence_id,
                flags=FLAG_ACK,
                substream=packet.substream_id,
                fragment=packet.fragment_id,
            )
        )

    def _answers(self, data: bytes) -> list[Packet]:
        return [self.read(answer) for answer in self.exchange(data)]
