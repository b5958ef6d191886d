"""Tasks that run the handlers of many connections, one after the other.

A task for every request would cost more than the request: making one takes
about 2 microseconds, waking a task that is there a fraction of it, and one
wake-up serves everything that came in with the same batch of datagrams. So a
few tasks take turns of sessions from one queue. A turn that finishes without
waiting for anything leaves its task free for the next; one that waits keeps
its task until it is done, and another task takes over the queue. There are
never more tasks than waiting handlers and a few idle ones.

Each turn runs in a copy of the context that the pool began with, so that what
one sets in a context variable is not there for the next.
"""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol, Self

__all__ = ["Job", "TaskPool"]

logger = logging.getLogger("nekonex.rmc")

_MAX_IDLE = 256


class Job(Protocol):
    """Something that has work to do now and then."""

    def turn(self, task: asyncio.Task[Any]) -> Coroutine[Any, Any, None]:
        """Do what there is to do, in the given task."""


class _Driver(Generator[Any, Any, None]):
    """Steps through turns, one after the other, each in a context of its own.

    Awaiting it is awaiting the turn; its pool hears of the first time that the
    turn waits for something. One driver a task: a new one for every turn would
    be the dearest part of it.
    """

    __slots__ = ("_on_wait", "_run", "_turn", "_waited")

    def __init__(self, on_wait: Callable[[], None]) -> None:
        self._on_wait = on_wait
        self._waited = False

    def drive(self, turn: Coroutine[Any, Any, None]) -> Self:
        """Take a turn, to be awaited at once."""
        self._turn = turn
        self._run = contextvars.copy_context().run
        self._waited = False
        return self

    def __await__(self) -> Generator[Any, Any, None]:
        return self

    def __next__(self) -> Any:
        waits_for = self._run(self._turn.send, None)
        if not self._waited:
            self._waited = True
            self._on_wait()
        return waits_for

    def send(self, value: Any) -> Any:
        return self._run(self._turn.send, value)

    def throw(self, *error: Any) -> Any:
        return self._run(self._turn.throw, *error)


class TaskPool:
    """Runs jobs in tasks of the event loop that is running at the first `submit`."""

    __slots__ = ("_closed", "_idle", "_looking", "_ready", "_tasks", "_waking")

    def __init__(self) -> None:
        self._ready: deque[Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: dict[asyncio.Task[None], asyncio.Future[None]] = {}
        # Tasks that will look at the queue in this pass of the event loop or
        # the next, and whether the task that runs now will before it waits.
        # Wrongly nobody costs a needless wake-up; wrongly somebody would stop
        # everything.
        self._waking: set[asyncio.Task[None]] = set()
        self._looking = False
        self._closed = False

    @property
    def tasks(self) -> int:
        """How many tasks there are, idle ones included."""
        return len(self._tasks)

    def submit(self, job: Job) -> None:
        """Give a job its turn soon. It must not be submitted again before that turn began."""
        self._ready.append(job)
        if not self._looking and not self._waking:
            self._wake()

    def trim(self) -> None:
        """Let half of the idle tasks end; called now and then, it follows the load down."""
        for task in tuple(self._idle)[: (len(self._idle) + 1) // 2]:
            self._idle.pop(task).cancel()

    def close(self) -> None:
        """Let idle tasks end now, and the others as soon as they have nothing to do.

        Jobs may still be submitted (their owners have things to finish).
        """
        self._closed = True
        while self._idle:
            self._idle.popitem()[1].cancel()

    def _wake(self) -> None:
        while self._idle:
            task, waiter = self._idle.popitem()
            if not waiter.done():
                waiter.set_result(None)
                self._waking.add(task)
                return
        task = asyncio.get_running_loop().create_task(self._work(), name="nekonex-rmc")
        self._tasks.add(task)
        self._waking.add(task)
        task.add_done_callback(self._ended)

    def _pass_on(self) -> None:
        """Let others look after the queue: the task that did now waits."""
        self._looking = False
        # Two of them: where every turn waits, their number doubles with each
        # pass of the event loop, instead of one more turn beginning in each.
        for _ in range(min(2, len(self._ready) - len(self._waking))):
            self._wake()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._waking.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.critical("A task that runs handlers died", exc_info=error)
        # It may have been the one that was to look at the queue next.
        self._pass_on()

    async def _work(self) -> None:
        """Run turns until this task is told to end, or too many are idle."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a pool's work runs in its tasks")
        driver = _Driver(self._pass_on)
        ready = self._ready
        self._waking.discard(task)
        # A task that somebody else cancelled ends, even if the handler that
        # it was running took the cancellation for its own.
        while not task.cancelling():
            if ready:
                self._looking = True
                await driver.drive(ready.popleft().turn(task))
                continue
            self._looking = False
            if self._closed or len(self._idle) >= _MAX_IDLE:
                return
            self._idle[task] = waiter = loop.create_future()
            try:
                await waiter
            except asyncio.CancelledError:
                self._idle.pop(task, None)
                return
            finally:
                self._waking.discard(task)
