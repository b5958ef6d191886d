"""The sending half of a connection: reliability, pings, and the ways it ends."""

import sys
from collections import deque

from nekonex.prudp.base import ConnectionBase, ConnectionClosedError, State
from nekonex.prudp.constants import (
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    PING,
)
from nekonex.prudp.crypto import compress, rc4, substream_key, unreliable_cipher
from nekonex.prudp.limits import CloseReason, DropReason
from nekonex.prudp.packet import Packet
from nekonex.prudp.rtt import RoundTrip
from nekonex.prudp.substream import NEVER, Sender, Sent, Waiting

__all__ = ["Outbound"]

_RELIABLE_DATA = FLAG_RELIABLE | FLAG_NEED_ACK | FLAG_HAS_SIZE
_FRAGMENT_IDS = 255
"""Ids of unfinished fragments: 1 to 255, then 1 again, since 0 marks the last one.

No source says what follows 255; every known receiver looks for the 0 only.
"""

_HEADER_SIZE = 33
"""Bytes that a waiting packet counts for beside its payload, so that empty ones are bounded too."""


class Outbound(ConnectionBase):
    """Sends, sends again, and gives up."""

    __slots__ = ()

    # -- sending ------------------------------------------------------------

    def send(self, data: bytes, substream: int = 0) -> None:
        """Send a message reliably, in fragments where it is large.

        Raises ConnectionClosedError, also when the send queue is full (which
        closes the connection: a reply cannot be taken back), and ValueError for
        a substream that was not negotiated.
        """
        if self.state is not State.OPEN:
            raise ConnectionClosedError("the connection is closed")
        if not 0 <= substream <= self.max_substream_id:
            raise ValueError(f"substream {substream} is not among the {self.max_substream_id + 1}")
        size = self.host.settings.fragment_size
        if len(data) <= size:
            self._transmit(substream, DATA, 0, data)
        else:
            last = (len(data) - 1) // size
            for index in range(last):
                fragment = data[index * size : (index + 1) * size]
                self._transmit(substream, DATA, index % _FRAGMENT_IDS + 1, fragment)
            self._transmit(substream, DATA, 0, data[last * size :])
        if self.queued_bytes > self.host.limits.max_queued_bytes:
            self._fail(CloseReason.SEND_QUEUE_FULL)
            raise ConnectionClosedError("the peer does not take what is sent to it")
        self.host.wake()

    def send_unreliable(self, data: bytes) -> None:
        """Send one packet that may be lost.

        Raises ConnectionClosedError, and ValueError for more than one packet's worth.
        """
        if self.state is not State.OPEN:
            raise ConnectionClosedError("the connection is closed")
        if len(data) > self.host.settings.fragment_size:
            raise ValueError("an unreliable message must fit into one packet")
        number = self.unreliable_number
        self.unreliable_number = (number + 1) & 0xFFFF
        if data:
            if self.host.settings.compression:
                data = compress(data)
            data = unreliable_cipher(self.session_key, number, self.local_session_id)(data)
        self._emit(DATA, FLAG_HAS_SIZE, 0, number, 0, data)
        self.host.wake()

    def _transmit(self, substream: int, kind: int, fragment_id: int, payload: bytes) -> None:
        sender = self.sender(substream)
        if sender.queue is None and (
            not sender.unacknowledged or sender.has_room(self.host.limits.window)
        ):
            self._transmit_now(sender, substream, kind, fragment_id, payload)
        else:
            if sender.queue is None:
                sender.queue = deque()
            sender.queue.append(Waiting(kind, fragment_id, payload))
            self.queued_bytes += len(payload) + _HEADER_SIZE

    def _transmit_now(
        self, sender: Sender, substream: int, kind: int, fragment_id: int, payload: bytes
    ) -> None:
        host = self.host
        settings = host.settings
        flags = FLAG_RELIABLE | FLAG_NEED_ACK
        if kind == DATA:
            flags = _RELIABLE_DATA
            if payload:
                if settings.compression:
                    payload = compress(payload)
                if sender.crypt is None:
                    sender.crypt = rc4(substream_key(self.session_key, substream))
                payload = sender.crypt(payload)
        number = sender.next
        sender.next = (number + 1) & 0xFFFF
        datagram = self._emit(kind, flags, substream, number, fragment_id, payload)
        now = host.clock()
        timeout = settings.resend_timeout
        rtt = self.rtt
        fast = rtt.timeout(timeout) if rtt is not None else timeout
        sender.unacknowledged[number] = Sent(kind, datagram, now, timeout, fast)
        if now + fast < self.deadline:
            host.arm(self, now + fast)

    def _acknowledged(self, kind: int, substream: int, number: int, now: float) -> None:
        if substream >= len(self.senders):
            return
        sender = self.senders[substream]
        sent = sender.unacknowledged.get(number) if sender is not None else None
        if sender is None or sent is None or sent.kind != kind:
            return
        del sender.unacknowledged[number]
        if sent.sent is not None:
            if self.rtt is None:
                self.rtt = RoundTrip()
            self.rtt.sample(now - sent.sent)
        if kind == DISCONNECT:
            self._finish()
        elif sender.queue is not None:
            self._send_waiting(sender, substream)
        elif substream and self.state is State.CLOSING:
            self._say_goodbye()

    def _send_waiting(self, sender: Sender, substream: int) -> None:
        queue = sender.queue
        while queue and sender.has_room(self.host.limits.window):
            waiting = queue.popleft()
            self.queued_bytes -= len(waiting.payload) + _HEADER_SIZE
            self._transmit_now(sender, substream, *waiting)
        if not queue:
            sender.queue = None

    def _acknowledge(self, packet: Packet) -> None:
        datagram = self._emit(
            packet.type, FLAG_ACK, packet.substream_id, packet.sequence_id, packet.fragment_id, b""
        )
        if packet.type == DISCONNECT:
            # Three times, as NintendoClients and the consoles do: nobody repeats it.
            self._send(datagram)
            self._send(datagram)

    def _emit(
        self, kind: int, flags: int, substream: int, number: int, fragment_id: int, payload: bytes
    ) -> bytes:
        datagram = self.codec.encode(
            kind, flags, self.dest, self.source, self.local_session_id, substream, number,
            fragment_id, payload, self.tx_secret,
        )  # fmt: skip
        if self.credit is None:
            self.host.output.append((datagram, self.address))
        else:
            self._send(datagram)
        return datagram

    def _send(self, datagram: bytes) -> None:
        if self.credit is not None:
            if len(datagram) > self.credit:
                self.host.drop(DropReason.AMPLIFICATION)
                return
            self.credit -= len(datagram)
        self.host.output.append((datagram, self.address))

    # -- time ---------------------------------------------------------------

    def on_timer(self, now: float) -> None:
        """Send again what is due, ping a silent peer, give up a dead one."""
        if self.state is State.LINGERING:
            if now >= self.ping_at:
                self._finish()
            else:
                self.host.arm(self, self.ping_at)
            return
        next_at = self._resend_due(now)
        if self.state is State.OPEN:
            next_at = min(next_at, self._check_silence(now))
        if self.state is not State.CLOSED:
            self.host.arm(self, next_at)

    def _resend_due(self, now: float) -> float:
        """Send again what is due at *now*; return when the next one is."""
        settings = self.host.settings
        limit = settings.resend_limit
        if now < self.last_heard + settings.silence_timeout:
            limit = sys.maxsize
        next_at = NEVER
        for sender in self.senders:
            if sender is None:
                continue
            for sent in sender.unacknowledged.values():
                if sent.due_at() <= now:
                    if not sent.resend(now, settings.resend_timeout, limit):
                        self._give_up()
                        return NEVER
                    self._send(sent.datagram)
                    if self.rtt is not None:
                        self.rtt.back_off(now, settings.resend_timeout)
                next_at = min(next_at, sent.due_at())
        return next_at

    def _check_silence(self, now: float) -> float:
        """Ping a peer that has been silent; return when to look again."""
        settings = self.host.settings
        quiet_until = self.last_heard + settings.ping_timeout
        if now < quiet_until:
            self.pings = 0
            return quiet_until
        if self.last_heard >= self.ping_at - settings.resend_timeout:
            # It was heard after the last ping: this is another silence.
            self.pings = 0
        if self.pings == 0 or now >= self.ping_at:
            if (
                self.pings > settings.resend_limit
                and now >= self.last_heard + settings.silence_timeout
            ):
                self._give_up()
                return NEVER
            # Never reliable: a ping must not take a number of substream 0.
            number = self.ping_number
            self.ping_number = (number + 1) & 0xFFFF
            self.pings += 1
            self.ping_at = now + settings.resend_timeout
            self._emit(PING, FLAG_NEED_ACK, 0, number, 0, b"")
        return self.ping_at

    # -- the end ------------------------------------------------------------

    def disconnect(self) -> None:
        """Say goodbye after what is queued, and wait for it to be acknowledged."""
        if self.state is not State.OPEN:
            return
        self.state = State.CLOSING
        self.host.on_closed(self, CloseReason.LOCAL)
        self._say_goodbye()
        self.host.wake()

    def _say_goodbye(self) -> None:
        """Send the goodbye behind the data of substream 0.

        It ends the other substreams too, whatever they still have under way, so it
        waits until all of that is acknowledged.
        """
        if not any(sender is not None and sender.unacknowledged for sender in self.senders[1:]):
            self._transmit(0, DISCONNECT, 0, b"")

    def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """Say goodbye without waiting for anything."""
        if self.state is State.OPEN:
            self._fail(reason)
        elif self.state is not State.CLOSED:
            self._finish()

    def replace(self) -> None:
        """Make way for a new connection of the same console, without a word to it."""
        if self.state is State.OPEN:
            self._end(CloseReason.REPLACED, State.CLOSED)
        elif self.state is not State.CLOSED:
            self._finish()

    def _fail(self, reason: CloseReason) -> None:
        """End at once, telling the peer three times since nobody acknowledges it."""
        if self.state is not State.OPEN:
            return
        for _ in range(3):
            self._emit(DISCONNECT, 0, 0, 0, 0, b"")
        self._end(reason, State.CLOSED)
        self.host.wake()

    def _give_up(self) -> None:
        if self.state is State.OPEN:
            self._fail(CloseReason.TIMEOUT)
        else:
            self._finish()

    def _end(self, reason: CloseReason, state: State) -> None:
        """Leave OPEN, once."""
        if self.state is not State.OPEN:
            return
        self.state = state
        self.senders = []
        self.receivers = []
        self.host.on_closed(self, reason)
        if state is State.LINGERING:
            settings = self.host.settings
            self.ping_at = self.host.clock() + settings.resend_timeout * (settings.resend_limit + 1)
            self.host.arm(self, self.ping_at)
        else:
            self._finish()

    def _finish(self) -> None:
        """Be gone, without a word."""
        self.state = State.CLOSED
        self.senders = []
        self.receivers = []
        self.host.forget(self)
