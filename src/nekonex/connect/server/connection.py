"""One connection: the asyncio protocol around a session, and the link that plugins see."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final, cast

from nekonex.connect.host.channel import Channel
from nekonex.connect.protocol.server_session import REFUSALS_AT_ONCE, Request, ServerSession
from nekonex.connect.protocol.status import Status
from nekonex.connect.server.outbox import Outbox
from nekonex.connect.stats import CutOff

if TYPE_CHECKING:
    from nekonex.connect.server.clients import Clients

__all__ = ["FRAMES_PER_TURN", "FRAME_OVERHEAD", "LINGER_SECONDS", "Connection"]

logger = logging.getLogger(__name__)

FRAMES_PER_TURN: Final = 64
"""Frames of a connection that are taken in until others have their turn."""
LINGER_SECONDS: Final = 2.0
"""How long a connection that is over stays half open, so that its last frames arrive: to close it
while the client still sends would have the system throw them away."""
FRAME_OVERHEAD: Final = 256
"""Bytes that a waiting frame counts besides its data."""


class Connection(asyncio.Protocol):
    """A client, from its first byte to its last."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._limits = clients.limits
        self._stats = clients.stats
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._closing_since = 0.0
        self._last_frame = 0.0
        self._queued = 0
        self._is_full = False
        self._is_scheduled = False
        self._is_welcome = False
        self._is_ended = False
        self._is_aborted = False
        self.address: tuple[str, int] = ("", 0)
        """Host and port of the client."""
        self.client_id = clients.next_id()
        """What tells this connection from every other one."""
        self.channels: dict[str, Channel] = {}
        """What the client has opened so far, by greeter."""
        self.is_open = False
        """Whether something can be sent to the client."""
        self.is_heard = False
        """Whether something more may come of the client."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or refuse it where there are too many."""
        self._transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if peer:
            self.address = (str(peer[0]), int(peer[1]))
        limits, now = self._limits, self._loop.time()
        self._outbox = Outbox(self._transport, limits.send_queue, limits.send_timeout, self._cut)
        self._session = ServerSession(self._clients.gate, self.address[0], now)
        self.is_open = self.is_heard = True
        if not self._clients.add(self):
            self._refuse()
            return
        self._timer = self._loop.call_later(limits.auth_timeout, self._too_late)

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        if self.is_heard:
            self._session.feed(data)
            if not self._is_scheduled:
                self._take_turn()

    def eof_received(self) -> bool:
        """Hear that nothing more comes: what came is still answered, where that is possible."""
        stays = self.is_open and self._transport.can_write_eof()
        self._hear_the_rest()
        if stays:
            self._loop.call_soon(self.idle)
        return stays

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let the plugins know, and forget the connection."""
        self.is_open = False
        self._outbox.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._is_aborted:
            self._hear_no_more()
        else:
            self._hear_the_rest()
        self._clients.remove(self)

    def pause_writing(self) -> None:
        """Hold plugins up that send this client more."""
        self._outbox.pause()

    def resume_writing(self) -> None:
        """Let them go on."""
        self._outbox.resume()

    @property
    def is_congested(self) -> bool:
        """Whether the client is slow to take what was sent."""
        return self._outbox.is_congested

    def push(self, greeter: bytes, op: int, data: bytes) -> None:
        """Send a frame; who lets too much wait is disconnected. Raises ValueError."""
        now = self._loop.time()
        self._last_frame = now
        self._outbox.put(self._session.frame(greeter, op, data, now))

    async def drain(self) -> None:
        """Wait until the client is not slow any more, or gone."""
        await self._outbox.drain()

    def tell(self, status: Status) -> None:
        """Send a status."""
        self._stats.statuses[status] += 1
        self._outbox.put(self._session.status(status, self._loop.time()))

    def reject(self, status: Status, reason: str) -> None:
        """Send a status and close the connection; the reason is for the log."""
        if self.is_open:
            self._outbox.put(self._session.reject(status, reason, self._loop.time()))
            self._note_rejection()
            self._say_goodbye()

    async def aclose(self) -> None:
        """Send what waits to be sent, and close the connection.

        It waits while the client is slow, but not until the client has gone as well.
        """
        self._hear_no_more()
        await self.drain()
        self._say_goodbye()

    def abort(self) -> None:
        """Close the connection at once, whatever is still to be sent."""
        self.is_open = False
        self._is_aborted = True
        self._transport.abort()

    def consumed(self, size: int) -> None:
        """Hear that a plugin has taken a frame with so many bytes of data."""
        self._queued -= size + FRAME_OVERHEAD
        if self._is_full and self._queued <= self._limits.receive_queue // 2:
            self._is_full = False
            self._schedule_turn()

    def put_back(self, size: int) -> None:
        """Hear that a plugin has not taken such a frame after all."""
        self._queued += size + FRAME_OVERHEAD

    def idle(self) -> None:
        """Close the connection if nothing more comes, and nobody has anything more to say."""
        is_over = not self.is_heard and self.is_open
        if is_over and all(channel.is_idle for channel in self.channels.values()):
            self._say_goodbye()

    def _take_turn(self) -> None:
        """Hand some frames to plugins; what is left has to wait until others had their turn."""
        self._is_scheduled = False
        session, now = self._session, self._loop.time()
        for _ in range(FRAMES_PER_TURN):
            if self._queued > self._limits.receive_queue and not self._is_ended:
                self._is_full = True
                break
            request = session.next_request(now) if self.is_heard else None
            answers = len(session.output)
            if answers:
                self._answer()
            if request is None:
                if answers >= REFUSALS_AT_ONCE:
                    self._schedule_turn()
                elif self._is_ended:
                    self._hear_no_more()
                    self.idle()
                break
            self._last_frame = now
            self._dispatch(request)
        else:
            self._schedule_turn()
        if self._is_full or self._is_scheduled:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _schedule_turn(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._take_turn)

    def _answer(self) -> None:
        """Send what the session says, and do what follows from it."""
        session = self._session
        refused = len(session.output) - (session.rejection is not None)
        for part in session.output:
            self._outbox.put(part)
        session.output.clear()
        if refused and not self._is_welcome:
            refused -= 1
            self._welcome()
        self._stats.statuses[Status.TOO_MANY] += refused
        if session.rejection is not None:
            self._note_rejection()
            self._say_goodbye()

    def _welcome(self) -> None:
        self._is_welcome = True
        self._stats.logins += 1
        self._last_frame = self._loop.time()
        logger.debug("client authenticated", extra=self._where())
        if self._timer is not None:
            self._timer.cancel()
        idle = self._limits.idle_timeout
        self._timer = self._loop.call_later(idle, self._look_for_idleness) if idle else None

    def _dispatch(self, request: Request) -> None:
        channel = self.channels.get(request.greeter)
        if channel is None:
            plugin = self._clients.host.find(request.greeter)
            if plugin is None:
                self.tell(Status.NOT_FOUND)
                return
            channel = plugin.open(self)
        self._stats.frames += 1
        self._queued += len(request.data) + FRAME_OVERHEAD
        channel.deliver(request)

    def _hear_the_rest(self) -> None:
        """Hear no more than what has come already.

        That can be more than was taken in so far: with TLS, frames and the end of the connection
        come at once, and reading that is paused does not keep the end away. It is no more than
        was read at once, and waits for no plugin: clients that are gone are not counted.
        """
        self._is_ended = True
        if self._is_full:
            self._is_full = False
            self._schedule_turn()
        if not self._is_scheduled:
            self._hear_no_more()

    def _hear_no_more(self) -> None:
        """Let the plugins know that nothing more comes."""
        if self.is_heard:
            self.is_heard = False
            for channel in list(self.channels.values()):
                channel.plugin.channels.pop(self, None)
                channel.hang_up()

    def _say_goodbye(self) -> None:
        """Send what waits, and close the connection; the plugins have nothing more to say."""
        if not self.is_open:
            return
        self._outbox.flush()
        self._outbox.release()
        self.is_open = False
        self._hear_no_more()
        if self._transport.is_closing():
            return
        if self._is_ended or not self._transport.can_write_eof():
            self._transport.close()
        else:
            with contextlib.suppress(OSError):  # the client is gone already
                self._transport.write_eof()
            self._transport.resume_reading()
        if self._timer is not None:
            self._timer.cancel()
        self._closing_since = self._loop.time()
        self._timer = self._loop.call_later(LINGER_SECONDS, self._linger)

    def _linger(self) -> None:
        """Close for good, unless the client still takes what it was sent."""
        late = self._closing_since + self._limits.send_timeout
        # What TLS has encrypted it keeps to itself, so nobody can tell whether something waits. One
        # status does not: the system takes that at once. Strangers are told no more than it.
        may_wait = self._outbox.waiting or not self._transport.can_write_eof()
        if self._is_welcome and may_wait and self._loop.time() < late:
            self._timer = self._loop.call_later(LINGER_SECONDS, self._linger)
        else:
            self._transport.abort()

    def _refuse(self) -> None:
        if self._clients.may_refuse(self):
            self.reject(Status.UNAVAILABLE, "too many connections")
        else:
            self._stats.cut_off[CutOff.TOO_MANY] += 1
            self.abort()

    def _cut(self, is_stalled: bool) -> None:
        reason = CutOff.STALLED if is_stalled else CutOff.SLOW_READER
        if not self._transport.is_closing() or self._outbox.waiting:
            self._stats.cut_off[reason] += 1
            logger.warning("client cut off", extra={**self._where(), "reason": reason.value})
        self.abort()

    def _too_late(self) -> None:
        self.reject(Status.TIMEOUT, "not authenticated in time")

    def _look_for_idleness(self) -> None:
        limit = self._limits.idle_timeout
        left = self._last_frame + limit - self._loop.time()
        if left <= 0:
            self.reject(Status.TIMEOUT, "idle for too long")
        else:
            self._timer = self._loop.call_later(left, self._look_for_idleness)

    def _note_rejection(self) -> None:
        rejection = self._session.rejection
        if rejection is not None:
            self._stats.statuses[rejection.status] += 1
            where = {**self._where(), "status": int(rejection.status), "reason": rejection.reason}
            logger.info("client rejected", extra=where)

    def _where(self) -> dict[str, object]:
        host, port = self.address
        return {"client": self.client_id, "address": f"{host}:{port}"}
