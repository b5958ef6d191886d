"""Those who chat, and what each of them is still to be told."""

from __future__ import annotations

import asyncio
import contextlib
from enum import IntEnum
from typing import TYPE_CHECKING

from nekonex.connect.context import AsyncContext, ConnectionClosed

if TYPE_CHECKING:
    from .rooms import Room

MAX_MAIL = 200
"""Frames that may wait for somebody who is slow to read them."""
GOODBYE_SECONDS = 0.5
"""How long the last of them may take."""


class Told(IntEnum):
    """Op codes of what members are told."""

    SAID = 1
    RENAMED = 2
    JOINED = 3
    PEOPLE = 4
    ROOMS = 5
    LEFT = 6
    HISTORY = 7
    REFUSED = 400


class Member:
    """Somebody who chats: a connection with a nickname, in a room.

    What a member is told waits in a queue, and a task sends it. So nobody who says something has
    to wait for those who are slow to read. Who is too slow is disconnected: better no connection
    than one on which something is missing.
    """

    def __init__(self, ctx: AsyncContext, nick: str, room: Room) -> None:
        self.nick = nick
        self.room = room
        self._ctx = ctx
        self._mail: asyncio.Queue[tuple[int, str] | None] = asyncio.Queue(MAX_MAIL)
        self._is_late = False
        self.delivery = asyncio.create_task(self._deliver())
        """Sends what waits, as long as there is a connection."""

    def tell(self, op: int, text: str) -> None:
        """Send something as soon as what was told before is sent; never waits."""
        try:
            self._mail.put_nowait((op, text))
        except asyncio.QueueFull:
            self._is_late = True

    async def end(self) -> None:
        """Send what still waits, if that does not take long, and nothing more."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._mail.put(None)
                await asyncio.wait([self.delivery])
        self.delivery.cancel()
        await asyncio.wait([self.delivery])

    async def _deliver(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while not self._is_late:
                mail = await self._mail.get()
                if mail is None:
                    return
                op, text = mail
                await self._ctx.send(text.encode(), op)
            await self._ctx.close()
