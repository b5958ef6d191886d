"""The calls that a plugin works on: begun, watched, and ended when they take too long."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from types import CoroutineType
from typing import Any, Final

from nekonex.connect.host.calls import CURRENT, Call, GivenUp, Method
from nekonex.connect.host.posts import Posts
from nekonex.connect.host.stacks import stack_of
from nekonex.connect.host.workers import StuckError, Workers
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.protocol.status import Status
from nekonex.connect.stats import ConnectStats

__all__ = ["CUT_SECONDS", "CallSupervisor"]

logger = logging.getLogger(__name__)

CUT_SECONDS: Final = 0.2
"""How long a call that was cut off may take to notice that."""

_CUTS: Final = 2
"""How often a task is cut off until it is abandoned: the method it calls last comes after that."""


class CallSupervisor:
    """Has the code of one plugin called, and sees to it that it ends.

    What it raises ends here. Calls that are given up and go on all the same are counted: with
    too many of them, no more are begun.
    """

    def __init__(
        self,
        greeter: str,
        places: int,
        limits: ConnectLimits,
        stats: ConnectStats,
        posts: Posts,
    ) -> None:
        self._greeter = greeter
        self._limits = limits
        self._stats = stats
        self._workers = Workers(greeter, places, limits.max_waiting, posts)
        self._calls: set[Call] = set()
        self._given_up = 0

    async def invoke(self, call: Call, method: Method, *arguments: object) -> BaseException | None:
        """Have a method called, and return what it raised; `Call.given_up` comes first.

        StuckError where none is begun any more.
        """
        if self._given_up >= self._limits.max_waiting:
            return StuckError()
        self._calls.add(call)
        call.plugin = self._greeter
        CURRENT.set(call)
        try:
            if method.is_coroutine:
                await method.function(*arguments)
            else:
                result = await self._workers.run(call, method.function, *arguments)
                if isinstance(result, CoroutineType):  # of a coroutine function in disguise
                    call.move_to_loop()
                    await result
        except BaseException as error:
            if isinstance(error, GeneratorExit) and not _is_at_work(call):
                raise  # the loop has ended without this call
            return error  # SystemExit of a plugin ends no server
        finally:
            CURRENT.set(None)
            self._calls.discard(call)
            if call.given_up is not None:
                self._given_up -= 1
            if call.runner is not None and call.runner.cancelling():
                _let_go()
            call.forget()
        return None

    def look_after(self, now: float) -> None:
        """Give up the calls that have worked for too long, and close their connections."""
        for call in list(self._calls):
            seconds = call.worked(now)
            if seconds > self._limits.plugin_timeout:
                if call.given_up is None:
                    self._report_stuck(call, seconds)
                self._give_up(call, GivenUp.TOO_SLOW)
                if call.link is not None:
                    call.link.reject(Status.PLUGIN_FAILED, "a call of the plugin took too long")

    def cut_off(self, task: asyncio.Task[Any]) -> None:
        """Give up what a task waits for."""
        for call in list(self._calls):
            if call.runner is task:
                self._give_up(call, GivenUp.REPLACED)

    async def watch(self, task: asyncio.Task[Any]) -> None:
        """Wait until a task has ended, or was given up and does not end."""
        while not task.done():
            if any(call.runner is task and call.given_up for call in self._calls):
                await self.finish(task, CUT_SECONDS)
                return
            await asyncio.wait([task], timeout=1.0)

    async def finish(self, task: asyncio.Task[Any], seconds: float) -> None:
        """Wait until a task has ended; after so many seconds cut off what it waits for.

        A coroutine that goes on however often it is cancelled is left alone.
        """
        await asyncio.wait([task], timeout=seconds)
        for _ in range(_CUTS):
            if task.done():
                return
            self.cut_off(task)
            await asyncio.wait([task], timeout=CUT_SECONDS)
        if not task.done():
            self._abandon(task)

    def report(self, what: str, error: BaseException, client: str | None = None) -> None:
        """Note that a method has failed, with its traceback."""
        self._stats.failures += 1
        where = {"plugin": self._greeter, "method": what}
        if client is not None:
            where["client"] = client
        logger.error("the plugin failed", extra=where, exc_info=error)

    def close(self) -> None:
        """Begin no more calls in threads, and end the threads that do nothing."""
        self._workers.close()

    def _give_up(self, call: Call, why: GivenUp) -> None:
        if call.given_up is None:
            call.given_up = why
            self._given_up += 1
        if call.runner is not None:
            call.runner.cancel()

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        """Have nobody wait for a task any more, the end of the event loop neither."""
        for call in self._calls:
            if call.runner is task:
                extra = {"plugin": self._greeter, "method": call.what, "stack": stack_of(call)}
                logger.error("the plugin cannot be stopped", extra=extra)
        asyncio._unregister_task(task)  # noqa: SLF001 - documented, in "Extending asyncio"
        with contextlib.suppress(AttributeError):
            task._log_destroy_pending = False  # type: ignore[attr-defined] # noqa: SLF001

    def _report_stuck(self, call: Call, seconds: float) -> None:
        self._stats.stuck += 1
        where = {"plugin": self._greeter, "method": call.what, "seconds": round(seconds, 1)}
        if call.link is not None:
            host, port = call.link.address
            where |= {"client": call.link.client_id, "address": f"{host}:{port}"}
        logger.error("the plugin is stuck", extra={**where, "stack": stack_of(call)})


def _is_at_work(call: Call) -> bool:
    try:
        return asyncio.current_task() is call.runner
    except RuntimeError:
        return False


def _let_go() -> None:
    """Go on after a cancellation that was meant for the plugin, and not for the task."""
    with contextlib.suppress(RuntimeError):  # the loop has ended without this call
        task = asyncio.current_task()
        while task is not None and task.cancelling():
            task.uncancel()
