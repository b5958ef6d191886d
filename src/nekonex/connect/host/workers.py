"""The threads of one plugin: so many places to work, and any number that wait."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final

from nekonex.connect.host.calls import CURRENT, Call
from nekonex.connect.host.posts import Posts

__all__ = ["IDLE_SECONDS", "StuckError", "Workers"]

IDLE_SECONDS: Final = 10.0
"""How long a thread waits for something to do before it ends."""


_Outcome = tuple[object, BaseException | None]


class StuckError(Exception):
    """So many calls are stuck for good that no more are begun."""


class _State(Enum):
    QUEUED = auto()
    WORKING = auto()
    """It has a place."""
    WAITING = auto()
    """It has given its place to others."""
    RETURNING = auto()
    """It wants a place again."""
    OVER = auto()


class _Job:
    """A call on its way through the threads. All but the work itself is under the pool's lock."""

    __slots__ = (
        *("_arguments", "_function", "_future", "_posts"),
        *("call", "is_written_off", "may_go_on", "state"),
    )

    def __init__(
        self,
        call: Call,
        function: Callable[..., object],
        arguments: tuple[object, ...],
        posts: Posts,
    ) -> None:
        self._posts = posts
        self._future: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._function = function
        self._arguments = arguments
        self.call = call
        self.state = _State.QUEUED
        self.is_written_off = False
        """Whether nobody waits for it any more: it has no place, and asks for none."""
        self.may_go_on = threading.Event()

    @property
    def future(self) -> asyncio.Future[_Outcome]:
        """What it returns and raises; not as its exception, because it cannot carry all kinds."""
        return self._future

    def run(self) -> None:
        """Do the work, in a thread, and say what came of it."""
        self.call.thread = threading.get_ident()
        self.call.start_clock()
        token = CURRENT.set(self.call)
        result: object = None
        error: BaseException | None = None
        try:
            result = self._function(*self._arguments)
        except BaseException as raised:  # noqa: BLE001 - its caller's, SystemExit too
            error = raised
        finally:
            CURRENT.reset(token)
        self.report(result, error)

    def report(self, result: object, error: BaseException | None) -> None:
        """Say what came of it, from any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has ended without this call
            self._posts.add(self._finish, result, error)

    def _finish(self, result: object, error: BaseException | None) -> None:
        if not self._future.done():
            self._future.set_result((result, error))


class Workers:
    """Calls functions in threads, no more than ``places`` at a time.

    A call that waits gives its place back, and takes one again before it goes on. No more than
    ``max_waiting`` do; others keep their places while they wait. Threads are daemons: one that is
    stuck keeps no process alive.
    """

    def __init__(self, name: str, places: int, max_waiting: int, posts: Posts) -> None:
        self._name = name
        self._posts = posts
        self._places = places
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._free = places
        self._waiting = 0
        self._written_off = 0
        self._jobs: deque[_Job] = deque()
        self._returning: deque[_Job] = deque()
        self._idle: list[queue.SimpleQueue[_Job | None]] = []
        self._closed = False

    @property
    def exhausted(self) -> bool:
        """Whether as many calls are stuck for good as there are places: no more are begun."""
        return self._written_off >= self._places

    async def run(self, call: Call, function: Callable[..., object], *arguments: object) -> Any:
        """Call a function in a thread and return what it returns; raises what it raises.

        The call's clock stands still until there is a place. A caller that is cancelled does not
        wait any more; the thread goes on. Raises StuckError where there never may be one.
        """
        job = _Job(call, function, arguments, self._posts)
        call.stop_clock()
        call.pause = lambda: self._give_back(job)
        call.resume = lambda: self._take_again(job)
        with self._lock:
            if self._closed:
                raise RuntimeError("the plugin has stopped")
            if self.exhausted:
                raise StuckError
            self._jobs.append(job)
            self._hand_out()
        try:
            result, error = await job.future
        except asyncio.CancelledError:
            self._write_off(job)
            raise
        finally:
            if not job.future.cancelled():
                call.pause = call.resume = None  # they hold on to the job, and that to the call
        if error is not None:
            raise error
        return result

    def close(self) -> None:
        """Begin no more calls, and end the threads that do nothing.

        Calls that have not begun never will: whoever waits for one is to be cancelled.
        """
        with self._lock:
            self._closed = True
            for job in self._jobs:
                job.state = _State.OVER
            self._jobs.clear()
            idle, self._idle = self._idle, []
        for each in idle:
            each.put(None)

    def _hand_out(self) -> None:
        """Give free places to those who want to go on, then to new calls."""
        while self._free > 0:
            if self._returning:
                job = self._returning.popleft()
                job.may_go_on.set()
            elif self._jobs and not self.exhausted:
                job = self._jobs.popleft()
                if not self._begin(job):
                    continue
            else:
                return
            job.state = _State.WORKING
            self._free -= 1

    def _begin(self, job: _Job) -> bool:
        """Have a thread take a call; False if the system has none left."""
        if self._idle:
            self._idle.pop().put(job)
            return True
        name = f"nekonex-plugin-{self._name}"
        inbox: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        inbox.put(job)  # a thread keeps its arguments for as long as it lives
        try:
            threading.Thread(target=self._work, args=(inbox,), name=name, daemon=True).start()
        except RuntimeError as error:
            job.state = _State.OVER
            job.report(None, error)
            return False
        return True

    def _work(self, inbox: queue.SimpleQueue[_Job | None]) -> None:
        job = inbox.get()
        while job is not None:
            job.run()
            if not self._end(job, inbox):
                return
            del job
            job = self._next(inbox)

    def _end(self, job: _Job, inbox: queue.SimpleQueue[_Job | None]) -> bool:
        """Free the place of a call that is over; return whether its thread is still of use."""
        with self._lock:
            job.state = _State.OVER
            if job.is_written_off:
                self._written_off -= 1
            else:
                self._free += 1
            is_of_use = not self._closed and not job.is_written_off
            if is_of_use:
                self._idle.append(inbox)
            self._hand_out()
            return is_of_use

    def _next(self, inbox: queue.SimpleQueue[_Job | None]) -> _Job | None:
        try:
            return inbox.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            with self._lock:
                if inbox in self._idle:
                    self._idle.remove(inbox)
                    return None
            return inbox.get()  # a job is on its way

    def _give_back(self, job: _Job) -> None:
        with self._lock:
            if job.is_written_off or self._waiting >= self._max_waiting:
                return
            job.state = _State.WAITING
            self._waiting += 1
            self._free += 1
            self._hand_out()

    def _take_again(self, job: _Job) -> None:
        with self._lock:
            if job.state is not _State.WAITING:
                return  # it has kept its place
            self._waiting -= 1
            if job.is_written_off:
                job.state = _State.WORKING
                return
            job.state = _State.RETURNING
            job.may_go_on.clear()
            self._returning.append(job)
            self._hand_out()
        job.may_go_on.wait()

    def _write_off(self, job: _Job) -> None:
        """Give up a call that is stuck: its place is another's from now on."""
        with self._lock:
            if job.state is _State.OVER or job.is_written_off:
                return
            if job.state is _State.QUEUED:
                job.state = _State.OVER
                self._jobs.remove(job)
                return
            job.is_written_off = True
            self._written_off += 1
            if job.state is _State.WORKING:
                self._free += 1
            elif job.state is _State.RETURNING:
                self._returning.remove(job)
                job.may_go_on.set()
            while self.exhausted and self._jobs:
                self._refuse(self._jobs.popleft())
            self._hand_out()

    def _refuse(self, job: _Job) -> None:
        job.state = _State.OVER
        job.report(None, StuckError())
