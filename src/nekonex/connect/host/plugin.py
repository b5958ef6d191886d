"""One version of a plugin that runs: its logic, its clients and the calls that it works on."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from nekonex.connect.context import ConnectionClosed
from nekonex.connect.host.apps import PluginApp
from nekonex.connect.host.calls import CURRENT, Call, GivenUp, Method, waiting
from nekonex.connect.host.channel import Channel
from nekonex.connect.host.drafts import checked_data, checked_op
from nekonex.connect.host.event_queue import EventQueue
from nekonex.connect.host.link import Link
from nekonex.connect.host.stacks import stack_of
from nekonex.connect.host.workers import Workers
from nekonex.connect.protocol.status import Status
from nekonex.events import Event

if TYPE_CHECKING:
    from nekonex.connect.host.host import PluginHost
    from nekonex.connect.plugins import LoadedPlugin

__all__ = ["BROADCAST_SLICE", "Plugin", "PluginStartError"]

logger = logging.getLogger(__name__)

BROADCAST_SLICE: Final = 100
"""Clients that a broadcast reaches until others may go on."""

_METHODS: Final = ("recv", "start", "stop", "connected", "disconnected")


class PluginStartError(Exception):
    """A plugin's ``start`` failed; the text is one sentence."""


class Plugin:
    """A plugin that was loaded; `start` comes first, `stop` last.

    What its code raises ends here: in the log, and as a status for the client.
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
        """Those whose connections have ended, and which are not done with."""
        self.ready = asyncio.Event()
        """Set when ``start`` is over: frames are handled from then on."""
        self.waiting = 0
        """Calls that wait in ``ctx.recv``."""
        self.app = PluginApp(self)
        self.events = EventQueue(host.events, self._on_event, self.greeter, host.limits.max_events)
        self._calls: set[Call] = set()
        self._broadcasting = asyncio.Lock()
        self._methods = dict(_methods_of(loaded.logic))
        places = getattr(loaded.logic, "threads", self.limits.plugin_threads)
        self._workers = Workers(self.greeter, places, self.limits.max_waiting)

    @property
    def folder(self) -> Path:
        """Where it was loaded from."""
        return self.loaded.folder

    async def start(self) -> None:
        """Have ``start`` run, and let frames in; raises PluginStartError."""
        method = self._methods.get("start")
        if method is not None:
            try:
                await self._invoke(Call("start"), method, self.app)
            except asyncio.CancelledError:
                _let_go()
                raise PluginStartError("start was broken off: it took too long") from None
            except BaseException as error:
                self._report("start", error)
                raise PluginStartError(f"start raised {_describe(error)}") from error
        self.ready.set()

    async def stop(self, seconds: float, successor: Plugin | None = None) -> None:
        """Let all clients go, have ``stop`` run, and end what the plugin has begun.

        Clients and frames that wait are for the successor, where there is one; without one frames
        are answered 404. Whatever takes longer than so many seconds is cut off.
        """
        channels, self.channels = self.channels, {}
        for link, channel in channels.items():
            channel.is_retired = True
            if successor is not None and link.is_open:
                successor.open(link, channel.state).inbox.extend(channel.inbox)
                channel.inbox.clear()
            else:
                link.channels.pop(self.greeter, None)
                self._send_back(channel)
        self.ready.set()
        await asyncio.gather(*(channel.retire(seconds) for channel in channels.values()))
        await self._cut_short(self.events.close(), seconds)
        await self._cut_short(self._run_stop(), seconds)
        self._workers.close()

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
        link = channel.link
        if not method.is_coroutine and self._workers.exhausted:
            link.reject(Status.UNAVAILABLE, "all threads of the plugin are stuck")
            return False
        call = Call(name, link.address)
        try:
            await self._invoke(call, method, channel.context)
        except asyncio.CancelledError as error:
            if call.given_up is None:
                self._failed(call, channel, error)
            else:
                _let_go()
                if call.given_up is GivenUp.TOO_SLOW:
                    link.reject(Status.PLUGIN_FAILED, "a call of the plugin took too long")
            return False
        except ConnectionClosed as error:
            if link.is_open and not channel.is_retired:
                self._failed(call, channel, error)
            return False
        except BaseException as error:  # noqa: BLE001 - SystemExit of a plugin ends no server
            self._failed(call, channel, error)
            return False
        return True

    async def broadcast(self, data: bytes, op: int = 200, *, without: Link | None = None) -> int:
        """Send a frame to all clients but one; return to how many."""
        content, code = checked_data(data, self.limits.max_data), checked_op(op)
        reached = 0
        with waiting():
            # Two at a time would reach some clients in another order than others.
            await self._broadcasting.acquire()
        try:
            for number, channel in enumerate(list(self.channels.values()), 1):
                if channel.link is not without and channel.link.is_open and not channel.is_over:
                    channel.link.push(self.greeter_bytes, code, content)
                    reached += 1
                if not number % BROADCAST_SLICE:
                    await asyncio.sleep(0)
        finally:
            self._broadcasting.release()
        return reached

    def look_after_calls(self, now: float) -> None:
        """Give up the calls that have worked for too long."""
        for call in list(self._calls):
            seconds = call.worked(now)
            if seconds > self.limits.plugin_timeout:
                if call.given_up is None:
                    self._report_stuck(call, seconds)
                self._give_up(call, GivenUp.TOO_SLOW)

    def cut_off(self, runner: asyncio.Task[None]) -> None:
        """Give up what a task waits for."""
        for call in list(self._calls):
            if call.runner is runner:
                self._give_up(call, GivenUp.REPLACED)

    async def _invoke(self, call: Call, method: Method, *arguments: object) -> None:
        self._calls.add(call)
        token = CURRENT.set(call)
        try:
            if method.is_coroutine:
                await method.function(*arguments)
            else:
                await self._workers.run(call, method.function, *arguments)
        finally:
            CURRENT.reset(token)
            self._calls.discard(call)

    async def _on_event(self, method: Method, event: Event) -> None:
        call = Call(f"the callback for {type(event).__name__}")
        try:
            await self._invoke(call, method, event)
        except asyncio.CancelledError as error:
            if call.given_up is None:
                self._report(call.what, error)
            else:
                _let_go()
        except BaseException as error:  # noqa: BLE001
            self._report(call.what, error)

    async def _run_stop(self) -> None:
        method = self._methods.get("stop")
        if method is None:
            return
        try:
            await self._invoke(Call("stop"), method)
        except asyncio.CancelledError:
            _let_go()
            logger.warning("stop was broken off: it took too long", extra={"plugin": self.greeter})
        except BaseException as error:  # noqa: BLE001
            self._report("stop", error)

    async def _cut_short(self, work: Any, seconds: float) -> None:
        """Wait for a coroutine that ends when the calls do, and cut these off after a while."""
        task = asyncio.create_task(work)
        while not task.done():
            await asyncio.wait([task], timeout=seconds)
            if not task.done():
                for call in list(self._calls):
                    self._give_up(call, GivenUp.REPLACED)
        await task

    def _send_back(self, channel: Channel) -> None:
        link = channel.link
        while channel.inbox:
            link.consumed(len(channel.inbox.popleft().data))
            if link.is_open:
                link.tell(Status.NOT_FOUND)

    def _give_up(self, call: Call, why: GivenUp) -> None:
        call.given_up = call.given_up or why
        if call.runner is not None:
            call.runner.cancel()

    def _failed(self, call: Call, channel: Channel, error: BaseException) -> None:
        self._report(call.what, error, channel)
        if channel.link.is_open and not channel.is_over:
            channel.link.tell(Status.PLUGIN_FAILED)

    def _report(self, what: str, error: BaseException, channel: Channel | None = None) -> None:
        self.host.stats.failures += 1
        where = {"plugin": self.greeter, "method": what}
        if channel is not None:
            where["client"] = channel.link.client_id
        logger.error("the plugin failed", extra=where, exc_info=error)

    def _report_stuck(self, call: Call, seconds: float) -> None:
        self.host.stats.stuck += 1
        where = {"plugin": self.greeter, "method": call.what, "seconds": round(seconds, 1)}
        if call.address is not None:
            where["client"] = "{}:{}".format(*call.address)
        logger.error("the plugin is stuck, at\n%s", stack_of(call), extra=where)


def _methods_of(logic: object) -> Iterable[tuple[str, Method]]:
    for name in _METHODS:
        function = getattr(logic, name, None)
        if callable(function):
            yield name, Method(function, inspect.iscoroutinefunction(function))


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _let_go() -> None:
    """Go on after a cancellation that was meant for the plugin, and not for the task."""
    task = asyncio.current_task()
    if task is not None:
        while task.cancelling():
            task.uncancel()
