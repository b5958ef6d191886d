"""One version of a plugin that runs: its logic, its clients, and its beginning and end."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nekonex.connect.context import ConnectionClosed
from nekonex.connect.host.apps import PluginApp
from nekonex.connect.host.calls import Call, GivenUp, Method, waiting
from nekonex.connect.host.channel import Channel
from nekonex.connect.host.drafts import checked_data, checked_op
from nekonex.connect.host.event_queue import EventQueue
from nekonex.connect.host.link import Link
from nekonex.connect.host.supervisor import CallSupervisor
from nekonex.connect.host.workers import StuckError
from nekonex.connect.protocol.status import Status
from nekonex.events import Event

if TYPE_CHECKING:
    from nekonex.connect.host.host import PluginHost
    from nekonex.connect.plugins import LoadedPlugin

__all__ = ["BROADCAST_SLICE", "Plugin", "PluginStartError"]

BROADCAST_SLICE: Final = 100
"""Clients that a broadcast reaches until others may go on."""

_METHODS: Final = ("recv", "start", "stop", "connected", "disconnected")
_TOO_LONG: Final = "start was broken off: it took too long"


class PluginStartError(Exception):
    """A plugin's ``start`` failed; the text is one sentence, after the place that is to blame."""


class Plugin:
    """A plugin that was loaded; `start` comes first, `stop` last.

    All its code runs in tasks and threads of its own. What that raises becomes a line in the log,
    and a status for the client.
    """

    def __init__(self, loaded: LoadedPlugin, host: PluginHost) -> None:
        self.loaded = loaded
        self.host = host
        self.limits = host.limits
        self.bridge = host.bridge
        self.greeter = loaded.spec.greeter
        self.greeter_bytes = self.greeter.encode()
        self.channels: dict[Link, Channel] = {}
        """The connections that have sent this plugin a frame."""
        self.leaving: set[Channel] = set()
        """Those whose connections or whose version of the plugin have ended, until all is done."""
        self.ready = asyncio.Event()
        """Set when ``start`` is over: frames are handled from then on."""
        self.waiting = 0
        """Calls that wait in ``ctx.recv``."""
        self.app = PluginApp(self)
        self.events = EventQueue(
            host.events, self._on_event, self.greeter, host.limits.max_events, host.stats
        )
        self._methods = dict(_methods_of(loaded.logic))
        places = getattr(loaded.logic, "threads", self.limits.plugin_threads)
        self.calls = CallSupervisor(
            self.greeter, places, host.limits, host.stats, self.bridge.posts
        )
        self._broadcasting = asyncio.Lock()
        self._successor: Plugin | None = None
        self._starter: asyncio.Task[str] | None = None
        self._stopper: asyncio.Task[None] | None = None
        self._is_started = False

    @property
    def folder(self) -> Path:
        """Where it was loaded from."""
        return self.loaded.folder

    @property
    def latest(self) -> Plugin:
        """The version that has the clients now: calls of an old one may still be at work."""
        version = self
        while version._successor is not None:
            version = version._successor
        return version

    async def start(self) -> None:
        """Have ``start`` run, and let frames in; raises PluginStartError."""
        method = self._methods.get("start")
        if method is not None:
            self._starter = asyncio.create_task(self._run_start(method))
            await self.calls.watch(self._starter)
            problem = (
                self._starter.result() if self._starter.done() else f"{self.folder}: {_TOO_LONG}"
            )
            if problem:
                raise PluginStartError(problem)
        self._is_started = True
        self.ready.set()

    async def stop(self, seconds: float, successor: Plugin | None = None) -> None:
        """Let all clients go, have ``stop`` run, and end what the plugin has begun.

        Clients and frames that wait are for the successor, where there is one; without one frames
        are answered 404. Whatever takes longer than so many seconds is cut off. May be called
        again where it was cancelled.
        """
        self._hand_over(successor)
        self.ready.set()
        self.events.close()
        tasks = [each for each in (self._starter, self.events.runner) if each is not None]
        await asyncio.gather(
            *(channel.retire(seconds) for channel in list(self.leaving)),
            *(self.calls.finish(task, seconds) for task in tasks),
        )
        if self._stopper is None:
            self._stopper = asyncio.create_task(self._run_stop())
        await self.calls.finish(self._stopper, seconds)
        self.calls.close()

    def greet_all(self) -> None:
        """Begin with the clients that were another version's."""
        for channel in list(self.channels.values()):
            channel.greet()

    def open(self, link: Link, state: dict[Any, Any] | None = None) -> Channel:
        """Return a new channel for a connection."""
        channel = self.channels[link] = link.channels[self.greeter] = Channel(link, self, state)
        return channel

    async def attempt(self, name: str, channel: Channel) -> bool:
        """Have a method handle a client; False if it failed. Never raises."""
        method = self._methods.get(name)
        if method is None:
            return True
        call = Call(name, channel.link)
        error = await self.calls.invoke(call, method, channel.context)
        if error is None and call.given_up is None:
            return True
        self._failed(call, channel, error)
        return False

    async def broadcast(self, data: bytes, op: int = 200, *, without: Link | None = None) -> int:
        """Send a frame to all clients but one; return to how many."""
        content, code = checked_data(data, self.limits.max_data), checked_op(op)
        reached = 0
        with waiting():
            # Two at a time would reach some clients in another order than others.
            await self._broadcasting.acquire()
        try:
            channels = list(self.latest.channels.values())
            for number, channel in enumerate(channels, 1):
                if channel.link is not without and channel.link.is_open:
                    channel.link.push(self.greeter_bytes, code, content)
                    reached += 1
                if not number % BROADCAST_SLICE:
                    await asyncio.sleep(0)
        finally:
            self._broadcasting.release()
        await asyncio.sleep(0)  # whoever does nothing else lets others go on, too
        return reached

    def _hand_over(self, successor: Plugin | None) -> None:
        """Let go of all clients; whoever takes over has them at once."""
        self._successor = self._successor or successor
        for channel in [each for each in self.leaving if not each.is_retired]:
            channel.is_retired = True
            if successor is None:
                _send_back(channel)
            elif channel.inbox:
                heir = Channel(channel.link, successor, channel.state)
                heir.inbox.extend(channel.inbox)
                channel.inbox.clear()
                channel.link.channels[self.greeter] = heir
                heir.hang_up()
        channels, self.channels = self.channels, {}
        self.leaving.update(channels.values())
        for link, channel in channels.items():
            channel.is_retired = True
            # Of a client that is gone there may be frames that were not taken in yet.
            if successor is not None and (link.is_open or link.is_heard):
                successor.open(link, channel.state).inbox.extend(channel.inbox)
                channel.inbox.clear()
            else:
                link.channels.pop(self.greeter, None)
                _send_back(channel)

    async def _run_start(self, method: Method) -> str:
        """Have ``start`` run; return what went wrong."""
        call = Call("start")
        error = await self.calls.invoke(call, method, self.app)
        if call.given_up is not None:
            return f"{self.folder}: {_TOO_LONG}"
        if error is None:
            self._is_started = True  # also where nobody waits for that any more
            return ""
        self.calls.report(call.what, error)
        blamed = self.loaded.blamed(error, method.function)
        return f"{blamed.file}:{blamed.line}: start raised {blamed.reason}"

    async def _run_stop(self) -> None:
        """Have ``stop`` run, unless there is nothing to be stopped."""
        method = self._methods.get("stop")
        if method is not None and self._is_started:
            await self._call_back(Call("stop"), method)

    async def _on_event(self, method: Method, event: Event) -> None:
        await self._call_back(Call(f"the callback for {type(event).__name__}"), method, event)

    async def _call_back(self, call: Call, method: Method, *arguments: object) -> None:
        error = await self.calls.invoke(call, method, *arguments)
        if error is not None and call.given_up is None:
            self.calls.report(call.what, error)

    def _failed(self, call: Call, channel: Channel, error: BaseException | None) -> None:
        """Tell client and log of a call that failed or was given up."""
        link = channel.link
        if call.given_up is None:
            if isinstance(error, StuckError):
                link.reject(Status.UNAVAILABLE, "too many calls of the plugin are stuck")
                return
            if error is None or (_is_farewell(error) and _is_parting(channel)):
                return
            self.calls.report(call.what, error, link.client_id)
        elif call.given_up is GivenUp.TOO_SLOW:
            return  # the connection was closed when that was found out
        is_asked = call.what == "recv" or (call.what == "connected" and channel.inbox)
        if is_asked and channel.is_open:
            link.tell(Status.PLUGIN_FAILED)


def _methods_of(logic: object) -> Iterable[tuple[str, Method]]:
    for name in _METHODS:
        function = getattr(logic, name, None)
        if callable(function):
            yield name, Method(function, inspect.iscoroutinefunction(function))


def _send_back(channel: Channel) -> None:
    """Answer the frames that wait as those for a greeter without a plugin."""
    link = channel.link
    while channel.inbox:
        link.consumed(len(channel.inbox.popleft().data))
        if link.is_open:
            link.tell(Status.NOT_FOUND)


def _is_farewell(error: BaseException) -> bool:
    """Whether a plugin only passes on that a connection is over, also from tasks in a group."""
    if isinstance(error, BaseExceptionGroup):
        return error.split(ConnectionClosed)[1] is None
    return isinstance(error, ConnectionClosed)


def _is_parting(channel: Channel) -> bool:
    """Whether nothing more comes of a client, so that a plugin has to expect just that."""
    return channel.is_retired or not channel.link.is_heard
