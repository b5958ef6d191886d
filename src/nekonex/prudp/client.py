"""The client role: SYN, CONNECT, and then a connection like the server's."""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from nekonex.kerberos import encrypt
from nekonex.prudp.base import Address, State
from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import (
    CONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    NUM_PORTS,
    STREAM_TYPE_RV_SECURE,
    SYN,
)
from nekonex.prudp.host import AnyCodec, Arrival, Endpoint, RandomBytes
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from nekonex.prudp.packet import Handshake, Packet
from nekonex.prudp.substream import Sent
from nekonex.settings import TransportSettings

__all__ = ["ClientConnection", "ClientEndpoint", "Credentials"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a client shows to a secure server: the opened client ticket, and who it is."""

    pid: int
    cid: int
    session_key: bytes
    ticket: bytes
    """The ticket's internal part, which only the server can open."""


class ClientConnection(Connection):
    """A connection that this side asks for."""

    __slots__ = (
        "_answer_secret",
        "_check",
        "_credentials",
        "_pending",
        "_signature",
        "_syn_answered",
    )

    def __init__(
        self, endpoint: "ClientEndpoint", codec: AnyCodec, address: Address, source: int, dest: int
    ) -> None:
        super().__init__(endpoint, codec, address, source, dest)
        self._credentials: Credentials | None = None
        self._pending: Sent | None = None
        self._syn_answered = False
        self._answer_secret = b""
        self._signature = endpoint.issue_signature(codec, address)
        self._check = int.from_bytes(endpoint.random(4), "little")

    def request(self, credentials: Credentials | None, now: float) -> None:
        """Send the SYN."""
        self._credentials = credentials
        if credentials is not None:
            self.pid = credentials.pid
            self.cid = credentials.cid
            self.session_key = credentials.session_key
        settings = self.host.settings
        offer = Handshake(
            connection_signature=bytes(self.codec.signature_size),
            minor_version=settings.minor_version,
            supported_functions=settings.supported_functions,
            max_substream_id=settings.max_substream_id,
        )
        self._send_handshake(SYN, FLAG_NEED_ACK, offer, b"", None, now)

    def receive_answer(self, packet: Packet, now: float) -> None:
        """Take an acknowledged SYN or CONNECT."""
        if self.state is not State.CONNECTING or packet.handshake is None:
            self.host.drop(DropReason.DUPLICATE)
        elif (packet.type == CONNECT) is not self._syn_answered:
            self.host.drop(DropReason.UNEXPECTED_TYPE)
        elif packet.type == SYN:
            self._receive_syn(packet, packet.handshake, now)
        else:
            self._receive_connect(packet, now)

    def _receive_syn(self, packet: Packet, answer: Handshake, now: float) -> None:
        settings = self.host.settings
        if not self.codec.verify_syn(packet):
            self.host.drop(DropReason.BAD_SIGNATURE)
            return
        if (
            answer.max_substream_id > settings.max_substream_id
            or answer.minor_version > settings.minor_version
            or answer.supported_functions & ~settings.supported_functions
        ):
            self.host.drop(DropReason.BAD_HANDSHAKE)
            return
        self._syn_answered = True
        self.minor_version = answer.minor_version
        self.max_substream_id = answer.max_substream_id
        self.local_session_id = self.host.random(1)[0]
        if self.codec.version:
            self.unreliable_number = int.from_bytes(self.host.random(2), "little")
        theirs = answer.connection_signature
        legacy = settings.legacy_signature is True and self.codec.version == 1
        self.tx_secret = self.codec.secret(self.session_key, theirs)
        answered_with = theirs if legacy else self._signature
        self.rx_secret = self.codec.secret(self.session_key, answered_with)
        self._answer_secret = self.codec.secret(b"", answered_with)
        offer = answer._replace(
            connection_signature=self._signature, initial_unreliable_id=self.unreliable_number
        )
        self._send_handshake(
            CONNECT,
            FLAG_RELIABLE | FLAG_NEED_ACK | FLAG_HAS_SIZE,
            offer,
            self._login_request(),
            self.codec.secret(b"", b"" if legacy else theirs),
            now,
        )

    def _receive_connect(self, packet: Packet, now: float) -> None:
        if not self.codec.verify(packet, self._answer_secret):
            self.host.drop(DropReason.BAD_SIGNATURE)
            return
        expected = b""
        if self._credentials is not None:
            expected = struct.pack("<II", 4, (self._check + 1) & 0xFFFFFFFF)
        if packet.payload != expected or packet.sequence_id != 1:
            self.host.drop(DropReason.BAD_HANDSHAKE)
            return
        self.remote_session_id = packet.session_id
        self._pending = None
        # Our CONNECT took number 1; the server's own numbers start there.
        self.begin(now, receive_from=1, send_from=2)
        self.host.on_opened(self)

    def _login_request(self) -> bytes:
        credentials = self._credentials
        if credentials is None:
            return b""
        layout = "<QII" if self.host.settings.pid_size == 8 else "<III"
        plain = struct.pack(layout, credentials.pid, credentials.cid, self._check)
        request = encrypt(credentials.session_key, plain)
        return b"".join(
            (
                len(credentials.ticket).to_bytes(4, "little"),
                credentials.ticket,
                len(request).to_bytes(4, "little"),
                request,
            )
        )

    def _send_handshake(
        self,
        kind: int,
        flags: int,
        offer: Handshake,
        payload: bytes,
        secret: bytes | None,
        now: float,
    ) -> None:
        datagram = self.codec.encode_handshake(
            kind, flags, self.dest, self.source, self.local_session_id, offer, payload, secret
        )
        self._send(datagram)
        timeout = self.host.settings.resend_timeout
        self._pending = Sent(kind, datagram, now, timeout, timeout)
        self.host.arm(self, self._pending.due_at())
        self.host.wake()

    def on_timer(self, now: float) -> None:
        """Send the handshake again, or do what every connection does."""
        pending = self._pending
        if self.state is not State.CONNECTING or pending is None:
            super().on_timer(now)
            return
        if pending.due_at() <= now:
            settings = self.host.settings
            if not pending.resend(now, settings.resend_timeout, settings.resend_limit):
                self.refuse()
                return
            self._send(pending.datagram)
        self.host.arm(self, pending.due_at())

    def refuse(self) -> None:
        """Give up a handshake."""
        self._pending = None
        self._finish()
        self.host.on_closed(self, CloseReason.REFUSED)

    def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """Say goodbye without waiting for anything; during a handshake just give it up."""
        if self.state is State.CONNECTING:
            self.refuse()
        else:
            super().close(reason)


class ClientEndpoint(Endpoint):
    """Connections that this side opens from one socket.

    Up to 16 to one virtual port of one server: more need another socket.
    """

    def __init__(
        self,
        settings: TransportSettings,
        *,
        clock: Callable[[], float],
        random: RandomBytes,
        limits: Limits | None = None,
    ) -> None:
        super().__init__(settings, limits=limits or Limits(), clock=clock, random=random)

    def connect(
        self,
        address: Address,
        now: float,
        *,
        port: int = 1,
        credentials: Credentials | None = None,
        stream_type: int = STREAM_TYPE_RV_SECURE,
    ) -> ClientConnection:
        """Start a handshake; an Opened or a Closed event tells how it ended.

        *address* must be what ``recvfrom`` will report. Raises ValueError when
        all virtual ports towards that server are in use.
        """
        source = stream_type << 4 | port
        codec: AnyCodec = self.v0 if self.settings.version == 0 else self.v1
        for local in reversed(range(NUM_PORTS)):
            dest = stream_type << 4 | local
            if (address, source, dest) not in self._connections:
                connection = ClientConnection(self, codec, address, source, dest)
                self.remember(connection)
                connection.request(credentials, now)
                return connection
        raise ValueError("all virtual ports of this socket are in use towards that server")

    def receive_handshake(self, arrival: Arrival) -> None:
        """Take the answer to a SYN or a CONNECT of ours."""
        connection = arrival.connection
        if not isinstance(connection, ClientConnection):
            self.drop(DropReason.UNKNOWN_CONNECTION)
        elif not arrival.packet.flags & FLAG_ACK or arrival.codec is not connection.codec:
            self.drop(DropReason.UNEXPECTED_TYPE)
        else:
            connection.receive_answer(arrival.packet, arrival.now)
