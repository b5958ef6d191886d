"""What a connection knows, and what it needs of its endpoint."""

import enum
from collections.abc import Callable
from typing import Any, Protocol

from nekonex.prudp.codec_v0 import V0Codec
from nekonex.prudp.codec_v1 import V1Codec
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from nekonex.prudp.rtt import RoundTrip
from nekonex.prudp.substream import NEVER, Receiver, Sender
from nekonex.settings import TransportSettings

AnyCodec = V0Codec | V1Codec

__all__ = ["Address", "AnyCodec", "ConnectionBase", "ConnectionClosedError", "Host", "State"]

Address = tuple[Any, ...]
"""A socket address as ``recvfrom`` gives it: host and port, for IPv6 with two more numbers."""


_MAPPED_IPV4 = "::ffff:"
"""What stands before an IPv4 address on an IPv6 socket (RFC 4291, section 2.5.5.2)."""


class ConnectionClosedError(ConnectionError):
    """The connection is closed, or was closed because its send queue is full."""


class State(enum.Enum):
    """Where a connection is in its life; ``nekonex.prudp.connection`` draws the way."""

    CONNECTING = enum.auto()
    OPEN = enum.auto()
    CLOSING = enum.auto()
    LINGERING = enum.auto()
    CLOSED = enum.auto()


class Host(Protocol):
    """What a connection needs of its endpoint. ``connection`` is always the caller."""

    settings: TransportSettings
    limits: Limits
    clock: Callable[[], float]
    random: Callable[[int], bytes]
    output: list[tuple[bytes, Address]]
    local_address: Address

    def drop(self, reason: DropReason) -> None:
        """Count a dropped packet."""

    def arm(self, connection: Any, at: float) -> None:
        """Call ``connection.on_timer`` at *at*, if nothing earlier is set."""

    def on_message(self, connection: Any, substream: int, data: bytes) -> None:
        """Report a message."""

    def on_unreliable(self, connection: Any, data: bytes) -> None:
        """Report an unreliable message."""

    def on_closed(self, connection: Any, reason: CloseReason) -> None:
        """Report the end of a connection."""

    def on_opened(self, connection: Any) -> None:
        """Report that a handshake which this side began is complete."""

    def forget(self, connection: Any) -> None:
        """Take a connection out of the tables."""

    def wake(self) -> None:
        """Have the output sent soon: it grew outside of a receive or timer call."""


class ConnectionBase:
    """A peer: who it is, and the state of its two directions.

    ``id`` is unique for the life of the process and never 0; ``pid`` and ``cid``
    are what the ticket says, None without one. ``user`` belongs to the layer above.
    """

    __slots__ = (
        "address", "cid", "codec", "connect_answer", "connect_request", "credit", "deadline",
        "dest", "host", "id", "last_heard", "legacy_secrets", "local_session_id",
        "max_substream_id", "minor_version", "paused", "pid", "ping_at", "ping_number", "pings",
        "queued_bytes", "receivers", "remote_session_id", "rtt", "rx_secret", "senders",
        "session_key", "source", "state", "tx_secret", "unreliable_number", "user",
    )  # fmt: skip

    def __init__(
        self, host: Host, codec: AnyCodec, address: Address, source: int, dest: int
    ) -> None:
        self.host = host
        self.codec = codec
        self.address = address
        self.source = source
        """Stream type and virtual port of the peer, as a byte of the wire."""
        self.dest = dest
        """Stream type and virtual port of this side."""
        self.id = 0
        self.pid: int | None = None
        self.cid: int | None = None
        self.state = State.CONNECTING
        self.minor_version = 0
        self.max_substream_id = 0
        self.local_session_id = 0
        self.remote_session_id = 0
        self.session_key = b""
        self.rx_secret = b""
        self.tx_secret = b""
        self.legacy_secrets: tuple[bytes, ...] = ()
        """Secrets that the packets of an L1 client may be signed with, until one verified."""
        self.credit: int | None = None
        """Bytes that may still be sent to an address that proved nothing yet; None: proven."""
        self.connect_request = b""
        self.connect_answer = b""
        self.receivers: list[Receiver | None] = []
        self.senders: list[Sender | None] = []
        self.unreliable_number = 1
        self.ping_number = 1
        self.pings = 0
        self.ping_at = 0.0
        self.last_heard = 0.0
        self.deadline = NEVER
        self.queued_bytes = 0
        self.rtt: RoundTrip | None = None
        self.paused = False
        self.user: Any = None

    # -- what it is ---------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether messages can be sent."""
        return self.state is State.OPEN

    @property
    def remote_address(self) -> tuple[str, int]:
        """Host and port of the peer's socket; IPv4 as such, also on a socket for both."""
        return self.address[0].removeprefix(_MAPPED_IPV4), self.address[1]

    @property
    def local_address(self) -> tuple[str, int]:
        """Host and port of this side's socket; empty and 0 without one."""
        address = self.host.local_address
        return address[0].removeprefix(_MAPPED_IPV4), address[1]

    @property
    def local_port(self) -> int:
        """Virtual port of this side."""
        return self.dest & 0xF

    @property
    def remote_port(self) -> int:
        """Virtual port of the peer."""
        return self.source & 0xF

    def begin(self, now: float, *, receive_from: int, send_from: int) -> None:
        """Enter OPEN, with the first numbers expected and sent on substream 0."""
        self.state = State.OPEN
        self.receivers = [Receiver(receive_from)]
        self.senders = [Sender(send_from)]
        self.last_heard = now
        self.host.arm(self, now + self.host.settings.ping_timeout)

    def sender(self, substream: int) -> Sender:
        """Return the sending side of a substream, made at its first use."""
        senders = self.senders
        while len(senders) <= substream:
            senders.append(None)
        sender = senders[substream]
        if sender is None:
            sender = senders[substream] = Sender(1)
        return sender

    def receiver(self, substream: int) -> Receiver:
        """Return the receiving side of a substream, made at its first use."""
        while len(self.receivers) <= substream:
            self.receivers.append(None)
        receiver = self.receivers[substream]
        if receiver is None:
            receiver = self.receivers[substream] = Receiver(1)
        return receiver
