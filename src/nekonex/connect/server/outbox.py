"""What is on its way to one client, and whether the client takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["FRAMES_AT_ONCE", "HIGH_WATER", "Outbox"]

HIGH_WATER: Final = 128 * 1024
"""Bytes that may wait for a client until plugins that send it more are held up."""
FRAMES_AT_ONCE: Final = 64
"""Frames that a plugin sends a client until others have their turn, however fast the client is."""


class Outbox:
    """Gathers what is sent in one turn of the event loop, and hands it to a transport at once.

    What is for a slow client waits here, in one piece with all that comes until it goes on: a
    transport with many small pieces takes long to say how much it has. ``cut_off`` is called when
    something comes and more than ``most`` bytes wait already, or when the client has taken nothing
    for ``seconds``.
    """

    __slots__ = (
        *("_count", "_cut_off", "_handed", "_is_scheduled", "_loop", "_most", "_parts"),
        *("_paused_at", "_rest", "_seconds", "_size", "_timer", "_transport", "_waiters"),
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        most: int,
        seconds: float,
        cut_off: Callable[[bool], None],
    ) -> None:
        self._transport = transport
        self._most = most
        self._seconds = seconds
        self._cut_off = cut_off
        self._loop = asyncio.get_running_loop()
        self._parts: list[bytes] = []
        self._size = 0
        self._count = 0
        self._handed = 0
        self._paused_at = -1
        self._rest = 0
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: list[asyncio.Future[None]] = []
        transport.set_write_buffer_limits(high=min(HIGH_WATER, most))

    @property
    def is_congested(self) -> bool:
        """Whether the client is slow to take what there is, or much came in one turn."""
        return self._paused_at >= 0 or self._count >= FRAMES_AT_ONCE

    @property
    def waiting(self) -> int:
        """How many bytes have not left this process."""
        return self._size + self._transport.get_write_buffer_size()

    def put(self, data: bytes) -> None:
        """Send something at the end of this turn, or when the client takes more again."""
        if self._paused_at >= 0 and self._is_full():
            self._cut_off(False)
            return
        self._parts.append(data)
        self._size += len(data)
        self._count += 1
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._end_turn)
        if self._size > HIGH_WATER and self._paused_at < 0:
            self.flush()

    def flush(self) -> None:
        """Hand over what there is, also to a client that is slow."""
        if not self._parts:
            return
        data = b"".join(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts.clear()
        self._size = 0
        if not self._transport.is_closing():
            self._handed += len(data)
            self._transport.write(data)

    def pause(self) -> None:
        """Hear of the transport that the client is slow."""
        self._rest = self._transport.get_write_buffer_size()
        self._paused_at = self._handed - self._rest
        self._timer = self._loop.call_later(self._seconds, self._look)

    def resume(self) -> None:
        """Hear of the transport that the client is not slow any more."""
        self._go_on()
        self.flush()
        if self._paused_at < 0:
            self.release()

    def release(self) -> None:
        """Let those go on who wait."""
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        """Hear that the connection is over."""
        self._parts.clear()
        self._size = 0
        self._go_on()
        self.release()

    async def drain(self) -> None:
        """Wait until the client is not slow any more, or the connection is over."""
        if self._paused_at < 0:
            if self._count >= FRAMES_AT_ONCE:
                await asyncio.sleep(0)
            return
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _end_turn(self) -> None:
        self._is_scheduled = False
        self._count = 0
        if self._paused_at < 0:
            self.flush()

    def _is_full(self) -> bool:
        if self._rest + self._size <= self._most:
            return False
        self._rest = self._transport.get_write_buffer_size()  # it was more than that before
        return self._rest + self._size > self._most

    def _go_on(self) -> None:
        self._paused_at = -1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        taken = self._handed - self._transport.get_write_buffer_size()
        if taken == self._paused_at:
            self._timer = None
            self._cut_off(True)
            return
        self._paused_at = taken
        self._timer = self._loop.call_later(self._seconds, self._look)
