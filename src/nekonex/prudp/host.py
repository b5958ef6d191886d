"""What server and client endpoints share: tables, timers, output, events."""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nekonex.prudp.base import Address, AnyCodec
from nekonex.prudp.codec_v0 import V0Codec
from nekonex.prudp.codec_v1 import MAGIC, V1Codec
from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import VERSION_ANY
from nekonex.prudp.events import Closed, Event, Message, Opened, UnreliableMessage
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from nekonex.prudp.mac import HmacMd5
from nekonex.prudp.packet import Packet, PacketError
from nekonex.settings import TransportSettings

__all__ = ["AnyCodec", "Arrival", "Endpoint", "RandomBytes"]

RandomBytes = Callable[[int], bytes]
Key = tuple[Address, int, int]

_ids = itertools.count(1)


def _nothing() -> None:
    return


class Arrival(NamedTuple):
    """A SYN or a CONNECT, its bytes, and where they came from."""

    codec: AnyCodec
    packet: Packet
    address: Address
    raw: bytes
    connection: Connection | None
    """The connection between these two ports, if there is one already."""
    now: float
    first: bool
    """Whether it is the first packet of its datagram."""


class Endpoint:
    """One UDP socket's worth of connections, without the socket.

    Feed it with :meth:`receive_datagram` and :meth:`handle_timer`; afterwards
    send :meth:`take_output`, act on :meth:`take_events`, and come back at
    :attr:`next_timer`. Messages may be sent on a connection at any time;
    ``on_wake`` is then called once, before the output is taken.

    *clock* returns monotonic seconds; *random* returns that many random bytes.
    No input makes a method of this class raise.
    """

    def __init__(
        self,
        settings: TransportSettings,
        *,
        limits: Limits,
        clock: Callable[[], float],
        random: RandomBytes,
    ) -> None:
        self.settings = settings
        self.limits = limits
        self.clock = clock
        self.random = random
        self.output: list[tuple[bytes, Address]] = []
        self.local_address: Address = ("", 0)
        self.drops: Counter[DropReason] = Counter()
        self.on_wake: Callable[[], None] = _nothing
        self.on_gone: Callable[[], None] = _nothing
        self.v0 = V0Codec(settings)
        self.v1 = V1Codec(settings)
        self._awake = False
        self._events: list[Event] = []
        self._timers: list[tuple[float, int, Connection]] = []
        self._connections: dict[Key, Connection] = {}
        self._signature_mac = HmacMd5(random(16))

    # -- input --------------------------------------------------------------

    def receive_datagram(self, data: bytes, address: Address, now: float) -> None:
        """Take what came from *address*. A datagram may hold several packets."""
        version = self.settings.version
        codec: AnyCodec = self.v1
        if version == 0 or (version == VERSION_ANY and data[:3] != MAGIC):
            codec = self.v0
        pos = 0
        end = len(data)
        if not end:
            self.drop(DropReason.MALFORMED)
        while pos < end:
            try:
                packet, after = codec.decode(data, pos)
            except PacketError:
                self.drop(DropReason.MALFORMED)
                pos = codec.skip(data, pos)
                continue
            connection = self._connections.get((address, packet.source, packet.dest))
            if packet.handshake is not None:
                self.receive_handshake(
                    Arrival(codec, packet, address, data[pos:after], connection, now, pos == 0)
                )
            elif connection is None:
                self.drop(DropReason.UNKNOWN_CONNECTION)
            elif 2 <= packet.type <= 4:
                if connection.credit is not None:
                    connection.credit += after - pos
                connection.receive(packet, now)
            else:
                self.drop(DropReason.UNEXPECTED_TYPE)
            pos = after

    def receive_handshake(self, arrival: Arrival) -> None:
        """Take a SYN or a CONNECT."""
        raise NotImplementedError

    def handle_timer(self, now: float) -> None:
        """Do what is due at *now*."""
        timers = self._timers
        while timers and timers[0][0] <= now:
            at, _, connection = heapq.heappop(timers)
            if connection.deadline == at:
                connection.deadline = float("inf")
                connection.on_timer(now)

    # -- output -------------------------------------------------------------

    @property
    def next_timer(self) -> float | None:
        """When :meth:`handle_timer` should be called next; None: no need to."""
        return self._timers[0][0] if self._timers else None

    def take_output(self) -> list[tuple[bytes, Address]]:
        """Return the datagrams to send since the last call, in order."""
        output = self.output
        self.output = []
        self._awake = False
        return output

    def take_events(self) -> list[Event]:
        """Return what happened since the last call, in order."""
        events = self._events
        if events:
            self._events = []
        return events

    def __len__(self) -> int:
        """Return the number of connections, those that just ended included."""
        return len(self._connections)

    def all_of(self, port: int) -> list[Connection]:
        """Return the connections of one of our ports (stream type << 4 | virtual port).

        Those that are ending are among them.
        """
        return [item for item in self._connections.values() if item.dest == port]

    def connections(self) -> Iterator[Connection]:
        """Iterate over the open connections, on a copy of the table."""
        return (item for item in list(self._connections.values()) if item.open)

    def issue_signature(self, codec: AnyCodec, address: Address) -> bytes:
        """Return the connection signature for *address*.

        Random for each process, unlike NintendoClients' and the consoles': who
        answers it has received a datagram at that address.
        """
        return self._signature_mac.digest(repr(address[:2]).encode())[: codec.signature_size]

    # -- what connections need (nekonex.prudp.base.Host) ----------------------

    def drop(self, reason: DropReason) -> None:
        """Count a dropped packet."""
        self.drops[reason] += 1

    def wake(self) -> None:
        """Have the output taken soon."""
        if not self._awake:
            self._awake = True
            self.on_wake()

    def arm(self, connection: Connection, at: float) -> None:
        """Call ``connection.on_timer`` at *at*, if nothing earlier is set."""
        if at < connection.deadline:
            connection.deadline = at
            heapq.heappush(self._timers, (at, connection.id, connection))

    def on_message(self, connection: Connection, substream: int, data: bytes) -> None:
        """Report a message."""
        self._events.append(Message(connection, substream, data))

    def on_unreliable(self, connection: Connection, data: bytes) -> None:
        """Report an unreliable message."""
        self._events.append(UnreliableMessage(connection, data))

    def on_opened(self, connection: Connection) -> None:
        """Report that a handshake which this side began is complete."""
        self._events.append(Opened(connection, None))

    def on_closed(self, connection: Connection, reason: CloseReason) -> None:
        """Report the end of a connection."""
        self._events.append(Closed(connection, reason))
        self.wake()

    def forget(self, connection: Connection) -> None:
        """Take a connection out of the tables."""
        connection.deadline = float("-inf")
        key = (connection.address, connection.source, connection.dest)
        if self._connections.get(key) is connection:
            del self._connections[key]
            self.on_forgotten(connection)
            self.on_gone()

    def remember(self, connection: Connection) -> None:
        """Put a connection into the tables and give it its id."""
        connection.id = next(_ids)
        self._connections[connection.address, connection.source, connection.dest] = connection

    def on_forgotten(self, connection: Connection) -> None:
        """Do what is left to do when a connection has left the tables."""
