"""One PRUDP connection after its handshake, for both roles.

A connection is sans-IO: it is fed packets and times, it puts datagrams and
events into the lists of its host (the endpoint), and it asks the host to be
called again at a time.

States::

    CONNECTING --(handshake)--> OPEN --(disconnect())--> CLOSING --(acknowledged)--> CLOSED
         |                        |                          '--(peer gone)--------> CLOSED
         '--(no answer)-> CLOSED  |--(DISCONNECT received)--> LINGERING --(time)---> CLOSED
                                  '--(close(), peer gone, replaced)----------------> CLOSED

LINGERING answers a repeated DISCONNECT, whose acknowledgement may be lost, and
nothing else. Leaving OPEN makes the one Closed event.
"""

import itertools
from typing import Final

from nekonex.prudp.aggregate import AggregateAck
from nekonex.prudp.base import Address, ConnectionClosedError, Host, State
from nekonex.prudp.constants import (
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_MULTI_ACK,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
)
from nekonex.prudp.crypto import decompress, rc4, substream_key, unreliable_cipher
from nekonex.prudp.limits import HALF, CloseReason, DropReason
from nekonex.prudp.outbound import Outbound
from nekonex.prudp.packet import Packet
from nekonex.prudp.substream import Receiver, Waiting

__all__ = ["Address", "Connection", "ConnectionClosedError", "Host", "State"]


_COMPRESSION_SLACK: Final = 64
"""Bytes by which a fragment may grow when it is compressed."""


class Connection(Outbound):
    """Takes packets apart and gives messages to its host."""

    __slots__ = ()

    # -- receiving ----------------------------------------------------------

    def pause_reading(self) -> None:
        """Accept no more reliable data, and acknowledge none, until :meth:`resume_reading`.

        What is acknowledged already is still delivered.
        """
        self.paused = True

    def resume_reading(self) -> None:
        """Accept reliable data again; the peer sends again what was not acknowledged."""
        self.paused = False

    def receive(self, packet: Packet, now: float) -> None:
        """Take a packet that is neither SYN nor CONNECT."""
        if not self.codec.verify(packet, self.rx_secret) and not self._adopt_legacy(packet):
            self.host.drop(DropReason.BAD_SIGNATURE)
            return
        flags = packet.flags
        if flags & FLAG_MULTI_ACK:
            self._receive_aggregate(packet, now)
            return
        if packet.session_id != self.remote_session_id:
            self.host.drop(DropReason.BAD_SESSION_ID)
        elif packet.substream_id > self.max_substream_id:
            self.host.drop(DropReason.BAD_SUBSTREAM)
        elif flags & FLAG_ACK:
            self.last_heard = now
            self._acknowledged(packet.type, packet.substream_id, packet.sequence_id, now)
        elif self.state is not State.OPEN:
            self._receive_late(packet)
        elif flags & FLAG_RELIABLE:
            self.last_heard = now
            self._receive_reliable(packet)
        else:
            self.last_heard = now
            self._receive_unreliable(packet)

    def _receive_reliable(self, packet: Packet) -> None:
        receiver = self.receiver(packet.substream_id)
        ahead = (packet.sequence_id - receiver.next) & 0xFFFF
        if ahead >= HALF:
            self.host.drop(DropReason.DUPLICATE)
            self._acknowledge(packet)
        elif ahead >= self.host.limits.window:
            self.host.drop(DropReason.OUT_OF_WINDOW)
        elif (
            self.paused and packet.type == DATA and not receiver.accepted_before(packet.sequence_id)
        ):
            self.host.drop(DropReason.RECEIVER_FULL)
        elif ahead:
            if len(packet.payload) > self.host.settings.fragment_size + _COMPRESSION_SLACK:
                self.host.drop(DropReason.OUT_OF_WINDOW)
            else:
                self._receive_ahead(receiver, packet)
        else:
            receiver.next = (receiver.next + 1) & 0xFFFF
            self._acknowledge(packet)
            self._deliver(
                receiver, packet.substream_id, packet.type, packet.fragment_id, packet.payload
            )
            while receiver.waiting is not None and self.state is State.OPEN:
                waiting = receiver.pop_next()
                if waiting is None:
                    break
                if waiting.kind == DISCONNECT:
                    self._acknowledge(
                        packet._replace(
                            type=DISCONNECT, fragment_id=0, sequence_id=(receiver.next - 1) & 0xFFFF
                        )
                    )
                self._deliver(receiver, packet.substream_id, *waiting)

    def _receive_ahead(self, receiver: Receiver, packet: Packet) -> None:
        again = receiver.accepted_before(packet.sequence_id)
        if packet.type == DISCONNECT:
            # A goodbye that overtook data is not acknowledged yet, or the peer
            # would stop resending that data. A peer that still repeats it when half
            # of its resends are used up is leaving, whatever is missing.
            settings = self.host.settings
            patience = settings.resend_timeout * settings.resend_limit / 2
            if not again:
                receiver.goodbye_at = self.last_heard
            elif self.last_heard - receiver.goodbye_at >= patience:
                self._acknowledge(packet)
                self._end(CloseReason.PEER, State.LINGERING)
                return
        else:
            self._acknowledge(packet)
        if again:
            self.host.drop(DropReason.DUPLICATE)
        else:
            receiver.keep(
                packet.sequence_id, Waiting(packet.type, packet.fragment_id, packet.payload)
            )

    def _deliver(
        self, receiver: Receiver, substream: int, kind: int, fragment_id: int, payload: bytes
    ) -> None:
        if kind == DATA:
            try:
                data = self._decode(receiver, substream, payload) if payload else payload
                message = receiver.reassemble(fragment_id, data, self.host.limits.max_message_size)
            except OverflowError:
                self._fail(CloseReason.MESSAGE_TOO_LARGE)
            except ValueError:
                self._fail(CloseReason.BAD_PAYLOAD)
            else:
                if message is not None:
                    self.host.on_message(self, substream, message)
        elif kind == DISCONNECT:
            self._end(CloseReason.PEER, State.LINGERING)

    def _decode(self, receiver: Receiver, substream: int, payload: bytes) -> bytes:
        crypt = receiver.crypt
        if crypt is None:
            crypt = receiver.crypt = rc4(substream_key(self.session_key, substream))
        data = crypt(payload)
        if self.host.settings.compression:
            return decompress(data, self.host.limits.max_message_size)
        return data

    def _receive_unreliable(self, packet: Packet) -> None:
        if packet.flags & FLAG_NEED_ACK:
            self._acknowledge(packet)
        if packet.type == DATA:
            payload = packet.payload
            if payload:
                crypt = unreliable_cipher(self.session_key, packet.sequence_id, packet.session_id)
                payload = crypt(payload)
                if self.host.settings.compression:
                    try:
                        payload = decompress(payload, self.host.limits.max_message_size)
                    except ValueError:
                        self.host.drop(DropReason.BAD_PAYLOAD)
                        return
            self.host.on_unreliable(self, payload)
        elif packet.type == DISCONNECT:
            self._end(CloseReason.PEER, State.LINGERING)

    def _receive_late(self, packet: Packet) -> None:
        """Take a packet that is no acknowledgement before or after this side listens.

        While this side's goodbye waits for what was sent before it, data and pings
        are acknowledged and dropped: a peer that gets no answer would give up.
        """
        closing = self.state is State.CLOSING
        goodbye = packet.type == DISCONNECT
        if packet.flags & FLAG_NEED_ACK and (
            closing or (goodbye and self.state is State.LINGERING)
        ):
            self._acknowledge(packet)
        if not goodbye or self.state is State.CONNECTING:
            self.host.drop(DropReason.NOT_ACCEPTING)
        elif closing:
            self._finish()

    def _receive_aggregate(self, packet: Packet, now: float) -> None:
        try:
            ack = AggregateAck.read(packet)
        except ValueError:
            self.host.drop(DropReason.BAD_AGGREGATE_ACK)
            return
        self.last_heard = now
        if ack.substream > self.max_substream_id or ack.substream >= len(self.senders):
            return
        sender = self.senders[ack.substream]
        if sender is not None:
            through = sender.acknowledge_through(DATA, ack.base)
            for number in itertools.chain(through, ack.extra):
                self._acknowledged(DATA, ack.substream, number, now)

    def _adopt_legacy(self, packet: Packet) -> bool:
        """Find the signature that an L1 client uses: no source says which it is."""
        for secret in self.legacy_secrets:
            if self.codec.verify(packet, secret):
                if packet.type == DATA:
                    self.rx_secret = secret
                    self.legacy_secrets = ()
                    self.credit = None
                return True
        return False
