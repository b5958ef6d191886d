"""Three who write to each other in the chat plugin while everything else is played."""

import asyncio
import contextlib
from collections.abc import Callable
from itertools import cycle
from typing import Final

from nekonex.connect import Client
from nekonex.demo.plugins import enter_room, next_line, say

__all__ = ["ROOM", "SCRIPT", "Talk"]

ROOM: Final = "plaza"
SCRIPT: Final = (
    ("isabelle", "They are at “{}” now."),
    ("redd", "And who wins?"),
    ("celeste", "Hush, I want to see this."),
)
"""Who says what, over and over again; the gap is for the chapter's title."""
PAUSE_SECONDS: Final = 0.1
"""Between two lines."""


class Talk:
    """What was said, and what each of the three has heard of it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        """As it was sent: ``NICK: TEXT``."""
        self.heard: dict[str, list[str]] = {name: [] for name, _ in SCRIPT}
        """As each of them was told, themselves included."""
        self.chapters: set[str] = set()
        """During which something was said."""
        self._clients: dict[str, Client] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._enough = asyncio.Event()

    async def begin(self, connect: Callable[[], Client], chapter: Callable[[], str]) -> None:
        """Connect the three, and have them talk from now on, about the chapter that is told."""
        for name, heard in self.heard.items():
            client = self._clients[name] = connect()
            await client.connect()
            await enter_room(client, name, ROOM)
            self._tasks.append(asyncio.create_task(_listen(client, heard)))
        self._tasks.append(asyncio.create_task(self._speak(chapter)))

    async def end(self) -> None:
        """Have nothing more said. Raises what kept one of them from speaking or listening."""
        self._enough.set()
        *listening, speaking = self._tasks
        await speaking
        for each in listening:
            if each.done():
                each.result()

    @property
    def is_complete(self) -> bool:
        """Whether each of them has heard as much as was said."""
        return all(len(heard) >= len(self.said) for heard in self.heard.values())

    async def close(self) -> None:
        """Break it off, and disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.close()

    async def _speak(self, chapter: Callable[[], str]) -> None:
        script = cycle(SCRIPT)
        while not await self._is_enough():
            name, text = next(script)
            title = chapter()
            line = text.format(title)
            await say(self._clients[name], line)
            self.said.append(f"{name}: {line}")
            self.chapters.add(title)

    async def _is_enough(self) -> bool:
        """Return False after a pause, and True as soon as nothing more is to be said."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PAUSE_SECONDS):
                await self._enough.wait()
        return self._enough.is_set()


async def _listen(client: Client, heard: list[str]) -> None:
    while True:
        heard.append(await next_line(client))
