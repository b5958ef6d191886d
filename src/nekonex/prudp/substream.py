"""One direction of a reliable substream: what arrived, and what must still arrive.

Rules of the receiver. Packet n is *accepted* when n is the next number or lies
less than ``window`` ahead of it; an accepted packet is acknowledged, one that
was accepted before is acknowledged again, any other is neither kept nor
acknowledged, so that the peer sends it once more. What was acknowledged is
always delivered, unless the connection ends.

Rules of the sender. A packet is sent once, and again every ``resend_timeout``
until ``resend_limit`` is used up: these are the regular sends, and the peer is
given up one ``resend_timeout`` after the last of them. Between them lie faster
resends by the round-trip estimate, which do not count.
"""

import math
from collections import deque
from typing import Final, NamedTuple

from nekonex.prudp.crypto import Crypt
from nekonex.prudp.limits import HALF

__all__ = ["Receiver", "Sender", "Sent", "Waiting"]

NEVER: Final = math.inf


class Waiting(NamedTuple):
    """An accepted packet that waits for the ones before it."""

    kind: int
    fragment_id: int
    payload: bytes


class Receiver:
    """The receiving side of one substream."""

    __slots__ = ("crypt", "goodbye_at", "next", "parts", "waiting")

    def __init__(self, first: int) -> None:
        self.next = first
        self.goodbye_at = NEVER
        """When a goodbye came that overtook data."""
        self.crypt: Crypt | None = None
        self.waiting: dict[int, Waiting] | None = None
        self.parts: bytearray | None = None

    def accepted_before(self, number: int) -> bool:
        """Tell whether the packet is an old one, or lies in the buffer already."""
        if (number - self.next) & 0xFFFF >= HALF:
            return True
        return self.waiting is not None and number in self.waiting

    def keep(self, number: int, packet: Waiting) -> None:
        """Buffer a packet that is ahead of the next one."""
        if self.waiting is None:
            self.waiting = {}
        self.waiting[number] = packet

    def pop_next(self) -> Waiting | None:
        """Take the next packet out of the buffer, where it has arrived."""
        if not self.waiting:
            self.waiting = None
            return None
        packet = self.waiting.pop(self.next, None)
        if packet is not None:
            self.next = (self.next + 1) & 0xFFFF
        return packet

    def reassemble(self, fragment_id: int, data: bytes, limit: int) -> bytes | None:
        """Add a fragment; return the message when it is complete, the last one being 0.

        Raises OverflowError when the message is larger than *limit*.
        """
        parts = self.parts
        if parts is None:
            if fragment_id == 0 and len(data) <= limit:
                return data
            # One buffer: a list of small parts takes twenty times their bytes.
            parts = self.parts = bytearray()
        if len(parts) + len(data) > limit:
            raise OverflowError(limit)
        parts += data
        if fragment_id:
            return None
        self.parts = None
        return bytes(parts)


class Sent:
    """A packet that was sent and is not acknowledged yet. Times are in seconds."""

    __slots__ = ("datagram", "fast_at", "fast_wait", "kind", "regular_at", "regular_sends", "sent")

    def __init__(self, kind: int, datagram: bytes, now: float, timeout: float, fast: float) -> None:
        self.kind = kind
        self.datagram = datagram
        self.sent: float | None = now
        """When it was sent; None once it was sent again (its round trip says nothing then)."""
        self.regular_sends = 1
        self.regular_at = now + timeout
        self.fast_wait = fast
        self.fast_at = now + fast if fast < timeout else NEVER

    def due_at(self) -> float:
        """Return when it must be sent again or given up."""
        return min(self.fast_at, self.regular_at)

    def resend(self, now: float, timeout: float, limit: int) -> bool:
        """Count a resend that is due at *now*; False when the peer is to be given up."""
        if self.regular_at <= now:
            if self.regular_sends > limit:
                return False
            self.regular_sends += 1
            self.regular_at = now + timeout
        self.sent = None
        self.fast_wait *= 2
        self.fast_at = now + self.fast_wait
        if self.fast_at >= self.regular_at:
            self.fast_at = NEVER
        return True


class Sender:
    """The sending side of one substream."""

    __slots__ = ("crypt", "next", "queue", "unacknowledged")

    def __init__(self, first: int) -> None:
        self.next = first
        self.crypt: Crypt | None = None
        self.unacknowledged: dict[int, Sent] = {}
        self.queue: deque[Waiting] | None = None

    def has_room(self, window: int) -> bool:
        """Tell whether the next packet is less than *window* ahead of the oldest one missing.

        It is not their count that matters: what is further ahead, the receiver drops.
        """
        for oldest in self.unacknowledged:
            return (self.next - oldest) & 0xFFFF < window
        return True

    def acknowledge_through(self, kind: int, base: int) -> list[int]:
        """Return the numbers of unacknowledged *kind* packets up to *base*, modulo 2^16."""
        return [
            number
            for number, sent in self.unacknowledged.items()
            if sent.kind == kind and (base - number) & 0xFFFF < HALF
        ]
