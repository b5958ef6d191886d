"""One connection and one plugin: the frames between them, in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NoReturn

from nekonex.connect.context import ConnectionClosed
from nekonex.connect.host.calls import waiting
from nekonex.connect.host.contexts import PluginContext
from nekonex.connect.host.link import Link
from nekonex.connect.protocol.server_session import Request
from nekonex.connect.protocol.status import Status

if TYPE_CHECKING:
    from nekonex.connect.host.plugin import Plugin

__all__ = ["REFUSAL_SECONDS", "Channel"]

REFUSAL_SECONDS: Final = 0.1
"""How long a plugin waits that asks once more for frames of a client of whom nothing comes."""
_REPLACED: Final = "this version of the plugin has ended: it was reloaded or stopped"


class Channel:
    """What a version of a plugin has of one connection.

    A task handles its frames as long as there are some; an idle channel has none.
    """

    __slots__ = (
        *("_arrivals", "_has_refused", "_is_greeted", "_runner"),
        *("context", "inbox", "is_over", "is_retired", "link", "plugin", "state"),
    )

    def __init__(self, link: Link, plugin: Plugin, state: dict[Any, Any] | None = None) -> None:
        self.link = link
        self.plugin = plugin
        self.state: dict[Any, Any] = {} if state is None else state
        """The author's; it outlives this version of the plugin."""
        self.inbox: deque[Request] = deque()
        """Frames that wait to be handled."""
        self.is_over = False
        """Whether nothing can be sent through it any more."""
        self.is_retired = False
        """Whether its version of the plugin is about to go: no further frame is handled."""
        self.context = PluginContext(self)
        self._arrivals: deque[asyncio.Future[None]] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._is_greeted = False
        self._has_refused = False

    @property
    def is_idle(self) -> bool:
        """Whether no frame waits, and none is handled."""
        return self._runner is None and not self.inbox

    def deliver(self, request: Request) -> None:
        """Take a frame of the client, for whoever waits for one, else for the plugin's ``recv``."""
        self.inbox.append(request)
        if not self._wake_one():
            self.greet()

    def greet(self) -> None:
        """Have ``connected`` run, and what waits handled, without a further frame."""
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())

    def hang_up(self) -> None:
        """Hear that the client is gone; what it has sent before is still handled.

        Where too many have gone that a slow plugin has not got round to, it never hears of this.
        """
        plugin = self.plugin
        self._wake_all()
        if self.is_over:
            return
        if len(plugin.leaving) >= plugin.limits.max_connections:
            plugin.host.stats.forgotten_goodbyes += 1
            self.inbox.clear()
            self._is_greeted = False
            if self._runner is not None:
                plugin.calls.cut_off(self._runner)
            return
        plugin.leaving.add(self)
        self.greet()

    async def retire(self, seconds: float) -> None:
        """Let the version of the plugin go: finish the call that works, and end.

        What takes longer than so many seconds is cut off.
        """
        self.is_retired = True
        self._wake_all()
        self.greet()
        if self._runner is not None:
            await self.plugin.calls.finish(self._runner, seconds)
        self.is_over = True
        self.plugin.leaving.discard(self)

    @property
    def is_open(self) -> bool:
        """Whether something can be sent through it."""
        return self.link.is_open and not self.is_over

    def send(self, data: bytes, op: int) -> None:
        """Send the client a frame, if it is still there."""
        if self.is_open:
            self.link.push(self.plugin.greeter_bytes, op, data)

    async def refuse(self) -> NoReturn:
        """Raise ConnectionClosed, after others had their turn: some try again and again."""
        await asyncio.sleep(0)
        raise ConnectionClosed(_REPLACED if self.link.is_open else "the client is gone")

    async def close(self) -> None:
        """Send what waits to be sent, and close the connection; no further frame is handled."""
        if not self.is_over:
            self.inbox.clear()
            with waiting():
                await self.link.aclose()

    async def drain(self) -> None:
        """Wait while the client is slow to take what was sent."""
        if self.link.is_open and self.link.is_congested:
            with waiting():
                await self.link.drain()

    async def receive(self, packets: int) -> bytes:
        """Return the data of so many further frames; raises ConnectionClosed."""
        taken: list[Request] = []
        size = 0
        try:
            while len(taken) < packets:
                request = await self._next_request()
                taken.append(request)
                size += len(request.data)
                if size > self.plugin.limits.max_joined:
                    self.link.reject(Status.TOO_LARGE, "more than a plugin may join")
                    raise ConnectionClosed("the client has sent more than may be joined")
        except asyncio.CancelledError:
            self._put_back(taken)
            raise
        return b"".join([each.data for each in taken])

    async def _next_request(self) -> Request:
        while not self.inbox:
            if self.is_retired or self.is_over or not self.link.is_heard:
                # Whoever asks again and again, whatever is raised, may not hold up the others.
                await asyncio.sleep(REFUSAL_SECONDS if self._has_refused else 0)
                self._has_refused = True
                is_here = self.link.is_heard
                raise ConnectionClosed(_REPLACED if is_here else "nothing more comes of the client")
            await self._wait_for_arrival()
        return self._take()

    async def _wait_for_arrival(self) -> None:
        plugin = self.plugin
        if plugin.waiting >= plugin.limits.max_waiting:
            self.link.reject(Status.UNAVAILABLE, "too many calls of the plugin wait")
            raise ConnectionClosed("too many calls of the plugin wait")
        arrival = asyncio.get_running_loop().create_future()
        self._arrivals.append(arrival)
        plugin.waiting += 1
        try:
            with waiting():
                await arrival
        finally:
            plugin.waiting -= 1
            if arrival in self._arrivals:
                self._arrivals.remove(arrival)

    def _take(self) -> Request:
        request = self.inbox.popleft()
        self.link.consumed(len(request.data))
        self.context.show(request)
        return request

    def _put_back(self, taken: list[Request]) -> None:
        """Leave frames to others, because whoever has taken them waits for no more of them."""
        if self.is_retired:
            return
        self.inbox.extendleft(reversed(taken))
        for request in taken:
            self.link.put_back(len(request.data))
        # It may have been woken for one, too, that now nobody takes.
        if self.inbox and not self._wake_one():
            self.greet()

    def _wake_one(self) -> bool:
        """Wake whoever waits for the next frame; False if nobody does."""
        while self._arrivals:
            arrival = self._arrivals.popleft()
            if not arrival.done():  # as one is that was cancelled in this turn of the loop
                arrival.set_result(None)
                return True
        return False

    def _wake_all(self) -> None:
        while self._wake_one():
            pass

    async def _run(self) -> None:
        try:
            await self.plugin.ready.wait()
            is_welcome = await self._welcome()
            while self.inbox and not self.is_retired:
                self._take()
                if is_welcome:
                    await self.plugin.attempt("recv", self)
                is_welcome = True
            if self.is_retired or not self.link.is_heard:
                await self._end()
        finally:
            self._runner = None
            self.plugin.leaving.discard(self)
        self.link.idle()

    async def _welcome(self) -> bool:
        """Have ``connected`` run, once; False if it failed, and with it the first frame."""
        is_due = not self._is_greeted and not self.is_retired
        if not is_due or not (self.inbox or self.link.is_heard):
            return True
        self._is_greeted = True
        if self.inbox:
            self.context.show(self.inbox[0])
        return await self.plugin.attempt("connected", self)

    async def _end(self) -> None:
        if self._is_greeted:
            self._is_greeted = False
            await self.plugin.attempt("disconnected", self)
