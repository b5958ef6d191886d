"""Calls of this side to the peer, and the replies that they wait for."""

import asyncio

from nekonex.rmc.channel import Channel
from nekonex.rmc.errors import CallLimitError, InvalidReplyError, RMCConnectionClosed
from nekonex.rmc.limits import RMCLimits, RMCStats
from nekonex.rmc.messages import FrameError, encode_request, parse_reply
from nekonex.values import RMCError

__all__ = ["Calls"]

_LAST_CALL_ID = 0xFFFF_FFFF


class Calls:
    """The calls of one connection; made when the first of them is."""

    __slots__ = ("_call_id", "_channel", "_closed", "_limits", "_pending", "_stats")

    def __init__(self, channel: Channel, limits: RMCLimits, stats: RMCStats) -> None:
        self._channel = channel
        self._limits = limits
        self._stats = stats
        self._pending: dict[int, asyncio.Future[bytes]] = {}
        self._call_id = 0
        self._closed: str | None = None

    @property
    def pending(self) -> int:
        """How many calls wait for their replies."""
        return len(self._pending)

    def post(self, protocol: int, method: int, body: bytes) -> None:
        """Send a request whose reply, if there ever is one, counts as late."""
        self._send(protocol, self._next_call_id(), method, body)

    async def exchange(
        self, protocol: int, method: int, body: bytes, seconds: float | None
    ) -> bytes:
        """Send a request and wait for its reply; see `Session.call` for what it raises."""
        if len(self._pending) >= self._limits.max_pending_calls:
            raise CallLimitError(
                f"connection {self._channel.id} has left {len(self._pending)} calls unanswered"
            )
        call_id = self._next_call_id()
        self._send(protocol, call_id, method, body)
        if seconds is None:
            seconds = self._limits.call_timeout
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[bytes] = loop.create_future()
        self._pending[call_id] = reply
        timer = loop.call_later(seconds, _expire, reply, seconds)
        try:
            return await reply
        finally:
            timer.cancel()
            self._pending.pop(call_id, None)

    def take(self, data: bytes) -> None:
        """Hand a reply to who waits for it."""
        try:
            _, call_id, _, code, body = parse_reply(data)
        except FrameError as error:
            self._stats.malformed += 1
            broken = self._pending.get(error.call_id) if error.call_id is not None else None
            if broken is not None and not broken.done():
                broken.set_exception(InvalidReplyError(f"the reply is malformed: {error.reason}"))
            return
        reply = self._pending.get(call_id)
        if reply is None or reply.done():
            self._stats.late_replies += 1
        elif code:
            reply.set_exception(RMCError(code))
        else:
            reply.set_result(body)

    def fail(self, reason: object) -> None:
        """End all calls, those that wait and those that are still to come."""
        self._closed = f"connection {self._channel.id} is closed: {reason}"
        for reply in self._pending.values():
            if not reply.done():
                reply.set_exception(RMCConnectionClosed(self._closed))

    def _next_call_id(self) -> int:
        while True:
            self._call_id = self._call_id + 1 if self._call_id < _LAST_CALL_ID else 1
            if self._call_id not in self._pending:
                return self._call_id

    def _send(self, protocol: int, call_id: int, method: int, body: bytes) -> None:
        frame = encode_request(protocol, call_id, method, body)
        if self._closed is not None:
            raise RMCConnectionClosed(self._closed)
        try:
            self._channel.send(frame)
        except ConnectionError as error:
            raise RMCConnectionClosed(f"connection {self._channel.id} is closed") from error


def _expire(reply: asyncio.Future[bytes], seconds: float) -> None:
    if not reply.done():
        reply.set_exception(TimeoutError(f"no reply within {seconds:g} seconds"))
