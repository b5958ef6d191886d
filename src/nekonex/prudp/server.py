"""The server role: virtual ports, the stateless SYN, and CONNECT."""

import hashlib
from collections import Counter
from collections.abc import Callable

from nekonex.prudp.base import State
from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import (
    CONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    MINOR_STRUCTURE_HEADERS,
    NUM_PORTS,
    STREAM_TYPE_RV_SECURE,
    SYN,
)
from nekonex.prudp.events import Opened
from nekonex.prudp.gate import Login, RateLimiter, RefusedError, TicketGate, is_loopback
from nekonex.prudp.host import Arrival, Endpoint, RandomBytes
from nekonex.prudp.limits import DropReason, Limits
from nekonex.prudp.packet import Handshake
from nekonex.settings import TransportSettings

__all__ = ["ServerEndpoint", "negotiated_minor_version"]

_LEGACY_BEFORE = (3, 5, 0)
"""No title above 3.4 is known to use the legacy connection signature (L1)."""


def negotiated_minor_version(settings: TransportSettings) -> int:
    """Return the highest minor version to offer.

    A client of NintendoClients' library puts headers on structures by the
    negotiated minor version alone, so a server without headers stays below 3.
    """
    if settings.struct_header:
        return settings.minor_version
    return min(settings.minor_version, MINOR_STRUCTURE_HEADERS - 1)


class ServerEndpoint(Endpoint):
    """Answers handshakes for the virtual ports that are bound.

    *minor_version* is the highest one to negotiate, by default what
    :func:`negotiated_minor_version` says. *wall_clock* returns seconds since 1970.
    """

    def __init__(
        self,
        settings: TransportSettings,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        random: RandomBytes,
        limits: Limits | None = None,
        minor_version: int | None = None,
    ) -> None:
        limits = limits or Limits()
        super().__init__(settings, limits=limits, clock=clock, random=random)
        if minor_version is None:
            minor_version = negotiated_minor_version(settings)
        self._minor_version = minor_version
        self._wall_clock = wall_clock
        self._ports: dict[int, TicketGate] = {}
        self._per_host: Counter[str] = Counter()
        self._rate = RateLimiter(limits.handshakes_per_second, limits.tracked_addresses)
        self._legacy_rate = RateLimiter(limits.handshakes_per_second, limits.tracked_addresses)

    # -- virtual ports ------------------------------------------------------

    def bind(
        self, port: int, key: bytes | None = None, *, stream_type: int = STREAM_TYPE_RV_SECURE
    ) -> None:
        """Accept connections on a virtual port; with *key*, only with a ticket for it.

        Raises ValueError for a port that is bound already or does not exist, and
        for a key that cannot open the tickets of these settings.
        """
        if not 0 <= port < NUM_PORTS:
            raise ValueError(f"virtual port {port} is not between 0 and {NUM_PORTS - 1}")
        number = stream_type << 4 | port
        if number in self._ports:
            raise ValueError(f"virtual port {port} is bound already")
        self._ports[number] = TicketGate(key, self.settings, self.limits, self._wall_clock)

    def unbind(self, port: int, *, stream_type: int = STREAM_TYPE_RV_SECURE) -> None:
        """Accept nothing more on a virtual port; its connections go on."""
        self._ports.pop(stream_type << 4 | port, None)

    # -- handshake ----------------------------------------------------------

    def receive_handshake(self, arrival: Arrival) -> None:
        """Answer a SYN or a CONNECT, or drop it."""
        packet = arrival.packet
        gate = self._ports.get(packet.dest)
        if gate is None:
            self.drop(DropReason.UNKNOWN_PORT)
        elif packet.flags & FLAG_ACK or not packet.flags & FLAG_NEED_ACK:
            self.drop(DropReason.UNEXPECTED_TYPE)
        elif packet.type == SYN:
            self._receive_syn(arrival)
        else:
            self._receive_connect(arrival, gate)

    def _receive_syn(self, arrival: Arrival) -> None:
        """Answer a SYN and keep nothing of it.

        One for each datagram: many small answers to one datagram would be more
        bytes on the line than it was.
        """
        codec, packet, address = arrival.codec, arrival.packet, arrival.address
        offer = packet.handshake
        if not codec.verify_syn(packet):
            self.drop(DropReason.BAD_SIGNATURE)
            return
        if not arrival.first:
            self.drop(DropReason.AMPLIFICATION)
            return
        if (
            offer is None
            or packet.session_id
            or packet.sequence_id
            or packet.substream_id
            or any(offer.connection_signature)
        ):
            self.drop(DropReason.BAD_HANDSHAKE)
            return
        answer = codec.encode_handshake(
            SYN,
            FLAG_ACK,
            packet.dest,
            packet.source,
            0,
            Handshake(
                connection_signature=self.issue_signature(codec, address),
                minor_version=min(self._minor_version, offer.minor_version),
                supported_functions=self.settings.supported_functions & offer.supported_functions,
                max_substream_id=min(self.settings.max_substream_id, offer.max_substream_id),
            ),
            b"",
            None,
        )
        self.output.append((answer, address))

    def _receive_connect(self, arrival: Arrival, gate: TicketGate) -> None:
        digest = hashlib.md5(arrival.raw, usedforsecurity=False).digest()
        old = arrival.connection
        if old is not None and old.connect_request == digest:
            if old.state is State.OPEN:
                self.output.append((old.connect_answer, arrival.address))
            else:
                self.drop(DropReason.NOT_ACCEPTING)
            return
        try:
            legacy = self._check_signature(arrival)
            self._check_limits(arrival, legacy=legacy)
            login = gate.check(arrival.packet.payload)
            if legacy and old is not None:
                _check_replacement(old, login)
            connection = self._build(arrival, login, legacy=legacy)
            gate.use(login)
        except RefusedError as refused:
            self.drop(refused.reason)
            return
        if old is not None:
            old.replace()
        connection.connect_request = digest
        self._admit(connection, arrival.now)
        self._events.append(Opened(connection, old))
        self.output.append((connection.connect_answer, arrival.address))

    def _check_signature(self, arrival: Arrival) -> bool:
        """Tell whether a CONNECT is signed with the empty connection signature (L1).

        False: with the one issued to its address. Raises RefusedError if it is
        neither, or if a legacy signature is not accepted here.
        """
        codec, packet = arrival.codec, arrival.packet
        issued = self.issue_signature(codec, arrival.address)
        if codec.verify(packet, codec.secret(b"", issued)):
            return False
        accepted = self.settings.legacy_signature
        if accepted is None:
            accepted = (0, 0, 0) < self.settings.nex_version < _LEGACY_BEFORE
        if accepted and codec.version == 1 and codec.verify(packet, codec.secret(b"", b"")):
            return True
        raise RefusedError(DropReason.BAD_SIGNATURE)

    def _check_limits(self, arrival: Arrival, *, legacy: bool) -> None:
        """Check all of a verified CONNECT but its ticket. Raises RefusedError."""
        host = str(arrival.address[0])
        limits = self.limits
        exempt = not limits.limit_loopback and is_loopback(host)
        # A legacy CONNECT may be forged, so its count must not stand in the way
        # of clients that proved their address.
        limiter = self._legacy_rate if legacy else self._rate
        if not exempt and not limiter.allow(host, arrival.now):
            raise RefusedError(DropReason.HANDSHAKE_RATE)
        packet = arrival.packet
        offer = packet.handshake
        if (
            offer is None
            or packet.sequence_id != 1
            or packet.substream_id
            or offer.max_substream_id > self.settings.max_substream_id
            or offer.minor_version > self._minor_version
            or offer.supported_functions & ~self.settings.supported_functions
        ):
            raise RefusedError(DropReason.BAD_HANDSHAKE)
        if arrival.connection is None:
            if len(self) >= limits.max_connections:
                raise RefusedError(DropReason.TOO_MANY_CONNECTIONS)
            if not exempt and self._per_host[host] >= limits.max_connections_per_address:
                raise RefusedError(DropReason.TOO_MANY_FROM_ADDRESS)

    def _build(self, arrival: Arrival, login: Login, *, legacy: bool) -> Connection:
        """Make the connection that a CONNECT asks for, and the answer to it.

        Raises RefusedError if the answer to a legacy CONNECT, whose address is not
        proven, would be larger than the CONNECT.
        """
        codec, packet, address = arrival.codec, arrival.packet, arrival.address
        offer = packet.handshake
        if offer is None:
            raise TypeError("a CONNECT always has a handshake")
        connection = Connection(self, codec, address, packet.source, packet.dest)
        connection.pid = login.pid
        connection.cid = login.cid
        connection.session_key = login.session_key
        connection.minor_version = offer.minor_version
        connection.max_substream_id = offer.max_substream_id
        connection.local_session_id = self.random(1)[0]
        connection.remote_session_id = packet.session_id
        issued = self.issue_signature(codec, address)
        theirs = offer.connection_signature
        answered_with = issued if legacy else theirs
        connection.tx_secret = codec.secret(login.session_key, answered_with)
        connection.rx_secret = codec.secret(login.session_key, issued)
        if legacy:
            connection.legacy_secrets = tuple(
                codec.secret(login.session_key, signature) for signature in (issued, theirs, b"")
            )
            # Verifies nothing: each packet goes through the list until DATA settled it.
            connection.rx_secret = codec.secret(login.session_key, self.random(16))
        connection.connect_answer = codec.encode_handshake(
            CONNECT,
            FLAG_ACK | FLAG_HAS_SIZE,
            packet.dest,
            packet.source,
            connection.local_session_id,
            Handshake(
                connection_signature=bytes(codec.signature_size),
                minor_version=offer.minor_version,
                supported_functions=offer.supported_functions,
                max_substream_id=offer.max_substream_id,
            ),
            login.answer,
            codec.secret(b"", answered_with),
        )
        if legacy:
            connection.credit = len(arrival.raw) - len(connection.connect_answer)
            if connection.credit < 0:
                raise RefusedError(DropReason.AMPLIFICATION)
        return connection

    def _admit(self, connection: Connection, now: float) -> None:
        self.remember(connection)
        self._per_host[str(connection.address[0])] += 1
        # CONNECT took number 1 of the client's substream 0, not of ours.
        connection.begin(now, receive_from=2, send_from=1)

    def on_forgotten(self, connection: Connection) -> None:
        """Count one connection less for its address."""
        host = str(connection.address[0])
        self._per_host[host] -= 1
        if not self._per_host[host]:
            del self._per_host[host]


def _check_replacement(old: Connection, login: Login) -> None:
    """Let a legacy CONNECT, which may be forged, replace only a connection of its own PID.

    Raises RefusedError.
    """
    if old.open and (login.pid is None or login.pid != old.pid):
        raise RefusedError(DropReason.UNPROVEN_REPLACEMENT)
