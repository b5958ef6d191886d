"""Key derivation off the event loop, in one small process of its own.

Strategy: the old derivation holds the interpreter for 20 ms, in a thread too, so it needs a
process. That is a plain subprocess which runs `nekonex.kerberos.derivation` and is talked to
through pipes, and not a `multiprocessing` one, because such a one imports the user's main
module again (a server script without a ``__main__`` guard would start a second server there),
carries all of its memory, and outlives a server that is killed. This one ends with the pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from typing import Self

from nekonex.kerberos import derivation as _worker
from nekonex.kerberos.derivation import KEY_SIZE, OLD_DERIVATION, REQUEST, derive_key
from nekonex.values import ServiceUnavailable

__all__ = ["KEY_CACHE_LIMIT", "WorkerKeyDeriver"]

_logger = logging.getLogger(__name__)

KEY_CACHE_LIMIT = 10_000
"""Most keys that are remembered; each takes some 400 bytes."""

_ATTEMPTS = 2

_CacheKey = tuple[int, int, bytes]


class WorkerKeyDeriver:
    """Derives keys in a worker process and remembers them; belongs to one event loop.

    The process starts with the first request that needs it; one that dies is replaced. Requests
    for the same key that come together share one computation. Keys are remembered by principal
    id, derivation and SHA-256 of the password, so another password never meets an old key.
    Close it with `close` or ``async with``.
    """

    def __init__(self, *, cache_limit: int = KEY_CACHE_LIMIT) -> None:
        self._cache_limit = cache_limit
        self._cache: OrderedDict[_CacheKey, bytes] = OrderedDict()
        self._pending: dict[_CacheKey, asyncio.Task[bytes]] = {}
        self._process: Process | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        """Return the 16-byte key of a user.

        Raises ValueError for what `derive_key` refuses, ServiceUnavailable if no worker can be
        had or the deriver is closed.
        """
        if derivation != OLD_DERIVATION or not 0 <= pid < 1 << 64:
            return derive_key(password, pid, derivation)  # quick, or refused at once
        key = (pid, derivation, hashlib.sha256(password).digest())
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            return known
        if self._closed:
            raise ServiceUnavailable("key derivation has ended")
        task = self._pending.get(key)
        if task is None:
            task = asyncio.create_task(self._compute(key, password))
            task.add_done_callback(_look_at_error)
            self._pending[key] = task
        # Whoever asked may go away; the others, and the cache, want the key still.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End the worker; requests that wait for it fail with ServiceUnavailable."""
        self._closed = True
        if self._process is not None:
            _kill(self._process)
        await asyncio.gather(*self._pending.values(), return_exceptions=True)
        await self._discard()

    async def _compute(self, key: _CacheKey, password: bytes) -> bytes:
        try:
            derived = await self._ask_worker(*key[:2], password)
        finally:
            del self._pending[key]
        self._cache[key] = derived
        while len(self._cache) > self._cache_limit:
            self._cache.popitem(last=False)
        return derived

    async def _ask_worker(self, pid: int, derivation: int, password: bytes) -> bytes:
        request = REQUEST.pack(pid, derivation, len(password)) + password
        async with self._turn:
            for _ in range(_ATTEMPTS):
                try:
                    return await _exchange(await self._running(), request)
                except (OSError, asyncio.IncompleteReadError):
                    if not self._closed:
                        _logger.warning("the key derivation worker died", exc_info=True)
                    await self._discard()
                except asyncio.CancelledError:
                    # Its answer would be taken for that of the next request.
                    if self._process is not None:
                        _kill(self._process)
                        self._process = None
                    raise
        raise ServiceUnavailable("key derivation failed")

    async def _running(self) -> Process:
        """Return the worker, started if need be; raises OSError if it cannot be."""
        if self._closed:
            raise ServiceUnavailable("key derivation has ended")
        if self._process is None:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", _worker.__file__, stdin=PIPE, stdout=PIPE
            )
            self._process = process
            if self._closed:
                _kill(process)
        return self._process

    async def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            # Who closed has killed it, and that must not be done twice: while it looks whether
            # the process lives, asyncio may take its exit status from its own watcher.
            if not self._closed:
                _kill(process)
            # Reads to the end of its output, so that the pipes are closed when this returns.
            await process.communicate()


async def _exchange(process: Process, request: bytes) -> bytes:
    if process.stdin is None or process.stdout is None:
        raise BrokenPipeError("the worker has no pipes")
    process.stdin.write(request)
    await process.stdin.drain()
    return await process.stdout.readexactly(KEY_SIZE)


def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _look_at_error(task: asyncio.Task[bytes]) -> None:
    # Else asyncio complains about a failure for which nobody waits any more.
    if not task.cancelled():
        task.exception()
