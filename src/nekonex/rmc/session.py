"""The two ends of one connection's calls: what the peer asks of us, and what we ask of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from nekonex.rmc.calls import Calls
from nekonex.rmc.channel import Channel
from nekonex.rmc.messages import is_request
from nekonex.rmc.servant import Routes, Servant
from nekonex.rmc.serving import answer
from nekonex.wire import WireContext

if TYPE_CHECKING:
    from nekonex.rmc.dispatcher import Dispatcher

__all__ = ["Session"]

logger = logging.getLogger("nekonex.rmc")

_OPEN, _CLOSING, _ENDED = range(3)


class Session:
    """A peer, as the handlers of its calls see it: one object a connection, hashable.

    Handlers and hooks get it as ``client``. Requests of one session are
    answered one after the other, in order; sessions do not wait for each
    other. Made by `Dispatcher.accept`; the owner of the connection then
    reports to `on_message` and `on_closed`.

    An idle session is this one small object: everything else is made when it
    is first needed.
    """

    __slots__ = (
        "__weakref__",
        "_blocked",
        "_busy",
        "_busy_since",
        "_calls",
        "_cancellations",
        "_channel",
        "_dispatcher",
        "_followers",
        "_paused",
        "_phase",
        "_routes",
        "_state",
        "_task",
        "_waiting",
        "close_reason",
    )

    def __init__(self, channel: Channel, dispatcher: "Dispatcher", routes: Routes) -> None:
        self._channel = channel
        self._dispatcher = dispatcher
        self._routes = routes
        self._phase = _OPEN
        # The peer's requests, with the substream to answer on.
        self._waiting: list[tuple[bytes, int]] | None = None
        self._paused = False
        # From the moment that it has asked for a turn until the turn is over.
        self._busy = False
        # The task of the turn, while there is one, and how often we cancelled it.
        self._task: asyncio.Task[Any] | None = None
        self._cancellations = 0
        # When the watchdog first saw the running handler.
        self._busy_since: float | None = None
        # Until the session that this one replaces has ended.
        self._blocked = False
        # What is called when this session has ended.
        self._followers: list[Callable[[], None]] | None = None
        self._calls: Calls | None = None
        self._state: dict[Any, Any] | None = None
        self.close_reason: object = None
        """What `on_closed` was told; None before."""

    # What handlers use

    @property
    def id(self) -> int:
        """Number of the connection, unique for the life of the process, never 0."""
        return self._channel.id

    @property
    def pid(self) -> int | None:
        """Account of the player; None on a server that needs no ticket."""
        return self._channel.pid

    @property
    def cid(self) -> int | None:
        """Connection id named in the ticket exchange; None like `pid`."""
        return self._channel.cid

    @property
    def remote_address(self) -> tuple[str, int]:
        """Host and port that the peer's packets come from."""
        return self._channel.remote_address

    @property
    def local_address(self) -> tuple[str, int]:
        """Host and port that the peer's packets arrive on."""
        return self._channel.local_address

    @property
    def channel(self) -> Channel:
        """The connection below."""
        return self._channel

    @property
    def context(self) -> WireContext:
        """How values are encoded for this peer."""
        return self._routes.context

    @property
    def settings(self) -> Any:
        """The settings of the server, as its dispatcher was given them."""
        return self._dispatcher.settings

    @property
    def state(self) -> dict[Any, Any]:
        """Room for what protocol servers remember of this client; gone with the session.

        Keys should be objects of the server's own (the server itself, say), so
        that two servers do not meet.
        """
        if self._state is None:
            self._state = {}
        return self._state

    @property
    def connected(self) -> bool:
        """Whether the end of the connection has not been reported yet."""
        return self._phase == _OPEN

    @property
    def open(self) -> bool:
        """Whether calls can be made."""
        return self._phase == _OPEN and self._channel.open

    @property
    def ended(self) -> bool:
        """Whether the connection is over and every logout hook has run."""
        return self._phase == _ENDED

    def close(self) -> None:
        """End the connection at once. A handler that closes its own client runs on to its end."""
        self._channel.close()

    def disconnect(self) -> None:
        """End the connection with a goodbye, after what has been sent already."""
        self._channel.disconnect()

    def call(
        self,
        protocol: int,
        method: int,
        body: bytes,
        *,
        noresponse: bool = False,
        timeout: float | None = None,
    ) -> Awaitable[bytes]:
        """Call a method of the peer and await the body of its reply.

        May be awaited inside a handler of the same client. With
        ``noresponse`` it is sent, not waited for, and gives ``b""``.
        ``timeout`` is in seconds; None means the limit of the server.

        Raises RMCError if the peer answers with an error (InvalidReplyError if it
        cannot be read), TimeoutError, RMCConnectionClosed if the connection
        is or gets closed, CallLimitError if too many calls wait.
        """
        if noresponse:
            return self._post(protocol, method, body)
        waiting = self._waiting
        if (
            self._paused
            and waiting
            and len(waiting) < (self._dispatcher.limits.max_waiting_while_calling)
        ):
            self._resume()
        return self._our_calls().exchange(protocol, method, body, timeout)

    def post(self, protocol: int, method: int, body: bytes) -> None:
        """Call a method of the peer whose reply nobody wants; it is queued at once.

        Raises RMCConnectionClosed.
        """
        self._our_calls().post(protocol, method, body)

    def add_servant(self, servant: Servant) -> None:
        """Let a servant answer its protocol on this connection only, and log out with the others.

        ValueError if the protocol is served already.
        """
        self._routes = self._routes.extended(servant)

    async def wait_ended(self) -> None:
        """Wait until the connection is over and every logout hook has run.

        Never await it in a handler or hook of the same session.
        """
        if self._phase == _ENDED:
            return
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._when_ended(lambda: None if ended.done() else ended.set_result(None))
        await ended

    # What the owner of the connection reports

    def on_message(self, data: bytes, substream: int = 0) -> None:
        """Take a message of the peer: requests are queued, replies reach their caller."""
        if self._phase != _OPEN:
            return
        if not is_request(data):
            self._our_calls().take(data)
            return
        waiting = self._waiting
        if waiting is None:
            self._waiting = [(data, substream)]
        else:
            waiting.append((data, substream))
            limits = self._dispatcher.limits
            limit = limits.max_waiting_requests
            if self._calls is not None and self._calls.pending:
                # The reply that a handler waits for stands behind these requests.
                limit = limits.max_waiting_while_calling
            if len(waiting) >= limit and not self._paused:
                self._paused = True
                self._dispatcher.stats.pauses += 1
                self._channel.pause_reading()
        if not self._busy and not self._blocked:
            self._busy = True
            self._dispatcher.pool.submit(self)

    def on_closed(self, reason: object = None) -> None:
        """Take the end of the connection; later calls change nothing.

        The running handler is cancelled, waiting requests are dropped and
        pending calls fail. As soon as the handler has ended, and a session
        that this one replaces too, the logout hooks run.
        """
        if self._phase != _OPEN:
            return
        self._phase = _CLOSING
        self.close_reason = reason
        dispatcher = self._dispatcher
        dispatcher.closing.add(self)
        if self._waiting:
            dispatcher.stats.abandoned += len(self._waiting)
        self._waiting = None
        if not self._busy:
            self._take_turn()
        elif self._task is not None and self._task is not asyncio.current_task():
            self._cancel(self._task)
        if self._calls is not None:
            self._calls.fail(reason)

    # What the machinery of this package uses

    def follow(self, predecessor: "Session") -> bool:
        """Let nothing of this session run before another one has ended; False if it has."""
        if predecessor.ended or predecessor is self:
            return False
        self._blocked = True
        predecessor._when_ended(self._unblock)  # noqa: SLF001
        return True

    def greet(self) -> None:
        """Run the ``connected`` hooks of all servants that have one, whatever any of them does."""
        for hook in self._routes.greetings:
            try:
                hook(self)
            except Exception:
                logger.exception("A connected hook failed for connection %d", self.id)

    def check(self, now: float) -> None:
        """Cancel what runs for longer than the limit; the watchdog calls it while busy."""
        if self._busy_since is None:
            self._busy_since = now
        elif now - self._busy_since >= self._dispatcher.limits.request_timeout:
            # What ignores this gets as long again.
            self._busy_since = now
            if self._task is not None:
                self._cancel(self._task)

    def take_back_cancellation(self) -> bool:
        """Clear cancellations of this session's own from the task; tell whether there were any."""
        if not self._cancellations:
            return False
        if self._task is not None:
            for _ in range(self._cancellations):
                self._task.uncancel()
        self._cancellations = 0
        return True

    async def turn(self, task: asyncio.Task[Any]) -> None:
        """Answer what waits, and log out if the connection is over; called by the task pool."""
        dispatcher = self._dispatcher
        stats = dispatcher.stats
        interrupted = False
        self._task = task
        dispatcher.watchdog.busy.add(self)
        try:
            while waiting := self._waiting:
                data, substream = waiting.pop(0)
                if self._paused and len(waiting) * 2 < dispatcher.limits.max_waiting_requests:
                    self._paused = False
                    self._channel.resume_reading()
                self._busy_since = None
                frame = await answer(self, self._routes.by_protocol, stats, data)
                if self._cancellations:
                    self.take_back_cancellation()
                if frame is not None:
                    self._reply(frame, substream)
            self._waiting = None
        except asyncio.CancelledError:
            interrupted = True
            raise
        finally:
            if self._phase == _CLOSING:
                await self._log_out()
            dispatcher.watchdog.busy.discard(self)
            self._task = None
            self._busy = False
            if interrupted:
                # Somebody cancelled the task, not the requests that still wait.
                self._take_turn()

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        self._cancellations += 1
        task.cancel()

    def _when_ended(self, callback: Callable[[], None]) -> None:
        if self._followers is None:
            self._followers = []
        self._followers.append(callback)

    def _unblock(self) -> None:
        self._blocked = False
        if self._phase == _OPEN:
            self.greet()
        self._take_turn()

    def _take_turn(self) -> None:
        """Ask for a turn if there is something to do."""
        if (self._waiting or self._phase == _CLOSING) and not self._busy and not self._blocked:
            self._busy = True
            self._dispatcher.pool.submit(self)

    def _resume(self) -> None:
        self._paused = False
        self._channel.resume_reading()

    def _our_calls(self) -> Calls:
        if self._calls is None:
            dispatcher = self._dispatcher
            self._calls = Calls(self._channel, dispatcher.limits, dispatcher.stats)
            if self._phase != _OPEN:
                self._calls.fail(self.close_reason)
        return self._calls

    async def _post(self, protocol: int, method: int, body: bytes) -> bytes:
        self._our_calls().post(protocol, method, body)
        return b""

    def _reply(self, frame: bytes, substream: int) -> None:
        stats = self._dispatcher.stats
        try:
            self._channel.send(frame, substream)
        except ConnectionError:
            stats.undelivered += 1
        else:
            stats.replies += 1

    async def _log_out(self) -> None:
        """Run the logout hooks of all servants, whatever any of them does."""
        for route in self._routes.by_protocol.values():
            self._busy_since = None
            try:
                await route.servant.logout(self)
            except asyncio.CancelledError:
                # Ours if it took too long. If it was somebody else's, the
                # other hooks still run, and the pool ends the task after that.
                self._dispatcher.stats.logout_errors += 1
                logger.exception("%s.logout was cancelled for connection %d", route.name, self.id)
            except Exception:
                self._dispatcher.stats.logout_errors += 1
                logger.exception("%s.logout failed for connection %d", route.name, self.id)
            self.take_back_cancellation()
        self._phase = _ENDED
        followers, self._followers = self._followers, None
        for follower in followers or ():
            follower()
        self._dispatcher.session_ended(self)
